import type { HistoryEvent } from '../history/index.js';

/** How far a run has come, from what its processes have recorded so far. */
export class Progress {
  readonly #sent = new Set<string>();
  /** When it was last acknowledged, or its letter was stored, by message. */
  readonly #done = new Map<string, number>();
  /** When that must happen again: later than this. */
  readonly #owed = new Map<string, number>();
  readonly #rejected = new Set<string>();
  readonly #standing = new Set<string>();
  #handledCalls = 0;
  #removed = 0;

  /** Handler calls that ended well. */
  get handledCalls(): number {
    return this.#handledCalls;
  }

  get sent(): number {
    return this.#sent.size;
  }

  /** Letters that were removed, counted again when another process removes them again. */
  get removed(): number {
    return this.#removed;
  }

  /** Letters that are not known to be removed. */
  get standing(): number {
    return this.#standing.size;
  }

  /** What was confirmed and is not through. */
  get left(): number {
    return [...this.#sent].filter((id) => !this.#isDone(id)).length;
  }

  /** What was given up and has no letter yet. */
  get unkept(): number {
    return [...this.#rejected].filter((id) => !this.#done.has(id)).length;
  }

  note(event: HistoryEvent): void {
    if (event.kind === 'sent') this.#sent.add(event.id);
    else if (event.kind === 'end') this.#ended(event);
    else if (event.kind === 'letter') this.#letter(event);
    else if (event.kind === 'crash') for (const id of event.ids) this.#owe(id, event.t);
  }

  #ended({ id, outcome, t }: HistoryEvent & { kind: 'end' }): void {
    if (outcome === 'rejected') this.#rejected.add(id);
    if (outcome !== 'ack') return;
    this.#handledCalls += 1;
    this.#do(id, t);
  }

  #letter({ id, change, t }: HistoryEvent & { kind: 'letter' }): void {
    if (change === 'kept') {
      this.#standing.add(id);
      this.#do(id, t);
    } else if (change === 'redriving') this.#owe(id, t);
    else if (change === 'removed') {
      this.#standing.delete(id);
      this.#removed += 1;
    }
  }

  #isDone(id: string): boolean {
    return (this.#done.get(id) ?? Number.NEGATIVE_INFINITY) > (this.#owed.get(id) ?? 0);
  }

  #do(id: string, t: number): void {
    this.#done.set(id, Math.max(t, this.#done.get(id) ?? t));
  }

  #owe(id: string, t: number): void {
    this.#owed.set(id, Math.max(t, this.#owed.get(id) ?? t));
  }
}
