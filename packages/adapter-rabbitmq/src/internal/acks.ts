/**
 * What of one channel is settled and not yet acknowledged. Delivery tags of a channel count up from 1 without gaps, whatever
 * queue the messages come from.
 */
export class Acks {
  readonly #send: (tag: number, upTo: boolean) => void;
  /** Settled, the broker does not know yet. */
  readonly #settled = new Set<number>();
  /** Acknowledged one by one, above `#low`. */
  readonly #single = new Set<number>();
  /** Everything below is acknowledged. */
  #low = 1;

  constructor(send: (tag: number, upTo: boolean) => void) {
    this.#send = send;
  }

  settle(tag: number): void {
    this.#settled.add(tag);
  }

  /** Settled and not yet acknowledged. */
  get pending(): number {
    return this.#settled.size;
  }

  /** One acknowledgement for all that is settled without a gap, one each for the rest. */
  flush(): void {
    if (this.#settled.size === 0) return;
    this.#flushPrefix();
    for (const tag of this.#settled) {
      this.#send(tag, false);
      this.#single.add(tag);
    }
    this.#settled.clear();
  }

  #flushPrefix(): void {
    // "Up to" must name a tag that is not acknowledged yet: the broker closes the channel for any other.
    let last = 0;
    for (; ; this.#low += 1) {
      if (this.#settled.delete(this.#low)) last = this.#low;
      else if (!this.#single.delete(this.#low)) break;
    }
    if (last > 0) this.#send(last, true);
  }
}
