import { type Clock, HANDOVER_MS } from '@anymq/core/adapter';

/** An older word may be an owner's before the last one. */
const FRESH_MS = 500;

/**
 * When a bucket's new owner may begin with what its owner before has left. That one says when he has given it up with no handler
 * running. One whose connection broke cannot: the broker gives his messages away within milliseconds, while his handlers run
 * until they have heard of it.
 */
export class Handovers {
  readonly #clock: Clock;
  /** When each bucket was given up, monotonic milliseconds. */
  readonly #given = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An owner has said that he gave it up. */
  given(bucket: string): void {
    const wake = this.#waiting.get(bucket);
    if (wake === undefined) this.#given.set(bucket, this.#clock.monotonic());
    else wake();
  }

  /** Resolves when no handler of the owner before runs any more, or has had time to end. */
  over(bucket: string): Promise<void> {
    const since = this.#given.get(bucket) ?? Number.NEGATIVE_INFINITY;
    this.#given.delete(bucket);
    if (this.#clock.monotonic() - since < FRESH_MS) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(bucket);
        resolve();
      };
      const timer = this.#clock.setTimer(HANDOVER_MS, done);
      this.#waiting.set(bucket, done);
    });
  }

  /** Nobody waits any more. */
  close(): void {
    for (const done of [...this.#waiting.values()]) done();
  }
}
