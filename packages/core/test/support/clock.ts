import type { Clock, Timer } from '../../src/clock.js';

/** A clock that a test moves. Timers run in order of their due time, promises settle between them. */
export class TestClock implements Clock {
  #now = 0;
  #setBy = 0;
  #timers: { readonly due: number; readonly run: () => void }[] = [];

  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return 1_700_000_000_000 + this.#now + this.#setBy;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { due: this.#now + delayMs, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** As on a machine that is too busy for its timers: time passes, and none runs. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Somebody sets the wall clock; timers do not care. */
  set(byMs: number): void {
    this.#setBy += byMs;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.due);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.run();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything that is ready run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
