import type { StatusChange } from './order.js';

/** A line of a service's journal. */
export type Entry =
  /** The service was started, for the first time or again. */
  | { readonly kind: 'started'; readonly pid: number }
  /** A change took effect. */
  | { readonly kind: 'applied'; readonly id: string; readonly change: StatusChange; readonly effect: string }
  /** It had taken effect before. */
  | { readonly kind: 'duplicate'; readonly id: string }
  /** The handler threw: before the effect, or (`applied`) after it. `last`: it will not be called again. */
  | {
      readonly kind: 'failed';
      readonly id: string;
      readonly order: string;
      readonly applied: boolean;
      readonly last: boolean;
      readonly error: string;
    }
  /** The change before it is missing: given up. */
  | { readonly kind: 'out-of-turn'; readonly id: string; readonly order: string };

/** What a journal comes to: what a service knows when it starts, and what it is judged by. */
export class Ledger {
  starts = 0;
  /** Handler calls that came to an end. */
  received = 0;
  duplicates = 0;
  retries = 0;
  /** Changes that came or were applied in another order than they were sent in. */
  violations = 0;
  readonly #applied = new Set<string>();
  readonly #orders = new Map<string, StatusChange[]>();
  readonly #givenUp = new Set<string>();
  readonly #stuckOrders = new Set<string>();

  add(entry: Entry): void {
    if (entry.kind === 'started') this.starts += 1;
    else if (entry.kind === 'failed') this.#failed(entry);
    else this.#called(entry);
  }

  get applied(): number {
    return this.#applied.size;
  }

  /** Different changes that were given up, applied since or not. */
  get deadLetters(): number {
    return this.#givenUp.size;
  }

  /** Different changes that need nothing more, or a person. */
  get settled(): number {
    return this.applied + [...this.#givenUp].filter((id) => !this.#applied.has(id)).length;
  }

  hasApplied(id: string): boolean {
    return this.#applied.has(id);
  }

  /** The changes of an order that took effect, in that order. */
  changesOf(order: string): readonly StatusChange[] {
    return this.#orders.get(order) ?? [];
  }

  /** Orders that something was applied of. */
  orders(): Iterable<string> {
    return this.#orders.keys();
  }

  #called(entry: Exclude<Entry, { kind: 'started' | 'failed' }>): void {
    this.received += 1;
    if (entry.kind === 'applied') this.#apply(entry.id, entry.change);
    else if (entry.kind === 'duplicate') this.duplicates += 1;
    else this.#outOfTurn(entry.id, entry.order);
  }

  #apply(id: string, change: StatusChange): void {
    const changes = this.#orders.get(change.order) ?? [];
    this.#orders.set(change.order, changes);
    if (change.sequence !== changes.length) this.violations += 1;
    changes.push(change);
    this.#applied.add(id);
  }

  #failed({ id, order, applied, last }: Extract<Entry, { kind: 'failed' }>): void {
    if (!applied) this.received += 1;
    if (last) this.#giveUp(id, order);
    else this.retries += 1;
  }

  /** What follows a change that was given up cannot be applied: that is no fault of the order in which it came. */
  #outOfTurn(id: string, order: string): void {
    if (!this.#stuckOrders.has(order)) this.violations += 1;
    this.#giveUp(id, order);
  }

  #giveUp(id: string, order: string): void {
    this.#givenUp.add(id);
    this.#stuckOrders.add(order);
  }
}
