import { type Clock, sleep } from '../clock.js';

/** Turns that a late timer made late may follow at once, as far as they fall into this time: timers are too coarse for high rates. */
const CATCH_UP_MS = 100;

/** Lets things begin at most so often a second. */
export class Pacer {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #due: number;

  /** @param ratePerSecond Infinity: at once */
  constructor(clock: Clock, ratePerSecond: number) {
    this.#clock = clock;
    this.#everyMs = 1_000 / ratePerSecond;
    this.#due = clock.monotonic();
  }

  /** Resolves when the next thing may begin. */
  async turn(stop: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    if (this.#due > now) await sleep(this.#clock, this.#due - now, stop);
    this.#due = Math.max(this.#due, this.#clock.monotonic() - CATCH_UP_MS) + this.#everyMs;
  }
}
