import type { Clock, Timer } from '@anymq/core/adapter';

interface Waiting {
  readonly due: number;
  readonly run: () => void;
}

/** Time that stands until a test moves it. */
export class StillClock implements Clock {
  readonly #timers = new Set<Waiting>();
  #now = 1_000;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { due: this.#now + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Timers run when they are due, and what they begin has taken its course when this resolves. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.due);
      this.#timers.delete(next);
      next.run();
      await turn();
    }
    this.#now = end;
    await turn();
  }

  #next(end: number): Waiting | undefined {
    return [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
  }
}

/** What is ready to go on has gone on. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
