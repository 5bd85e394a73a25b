import { Queue } from '../queue.js';
import type { Pending } from './pending.js';

/** Bounds what a producer holds: a send beyond the bounds waits its turn, in order. */
export class SendBuffer {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #enter: (pending: Pending) => void;
  readonly #waiting = new Queue<Pending>();
  #count = 0;
  #bytes = 0;

  /** @param enter gets each send when there is room for it */
  constructor(maxCount: number, maxBytes: number, enter: (pending: Pending) => void) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#enter = enter;
  }

  add(pending: Pending): void {
    if (this.#waiting.size > 0 || !this.#fits(pending)) this.#waiting.push(pending);
    else this.#admit(pending);
  }

  /** The outcome of `pending` is known: its room is free. */
  release(pending: Pending): void {
    if (!pending.admitted) return;
    this.#count -= 1;
    this.#bytes -= pending.record.body.length;
    for (
      let next = this.#waiting.peek();
      next !== undefined && (next.settled || this.#fits(next));
      next = this.#waiting.peek()
    ) {
      this.#waiting.shift();
      if (!next.settled) this.#admit(next);
    }
  }

  /** What waits for room, for deadlines. */
  pending(): Iterable<Pending> {
    return this.#waiting;
  }

  /** A message larger than the whole buffer passes when it is alone. */
  #fits(pending: Pending): boolean {
    return (
      this.#count === 0 || (this.#count < this.#maxCount && this.#bytes + pending.record.body.length <= this.#maxBytes)
    );
  }

  #admit(pending: Pending): void {
    pending.admitted = true;
    this.#count += 1;
    this.#bytes += pending.record.body.length;
    this.#enter(pending);
  }
}
