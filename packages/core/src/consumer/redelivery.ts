import type { Clock, Timer } from '../clock.js';
import { Queue } from '../queue.js';
import type { Lane } from './lanes.js';
import type { Ownership } from './ownership.js';
import type { Work } from './work.js';

/**
 * How long a message whose handler failed waits until the handler is called again. Long enough that a failing dependency is
 * not hammered, short enough for "within some seconds".
 */
export const REDELIVERY_DELAY_MS = 1_000;

type Waiting = Lane | Work;

/** Failed work until it may be tried again. All wait equally long, so one timer for the first serves all. */
export class Redelivery {
  readonly #clock: Clock;
  readonly #again: (waiting: readonly Waiting[]) => void;
  readonly #queue = new Queue<{ readonly waiting: Waiting; readonly due: number }>();
  #timer: Timer | undefined;

  /** @param again gets what has waited long enough */
  constructor(clock: Clock, again: (waiting: readonly Waiting[]) => void) {
    this.#clock = clock;
    this.#again = again;
  }

  add(waiting: Waiting): void {
    this.#queue.push({ waiting, due: this.#clock.monotonic() + REDELIVERY_DELAY_MS });
    if (this.#timer === undefined) this.#arm(REDELIVERY_DELAY_MS);
  }

  /** Drops work without a lane that belongs to `source`; lanes drop theirs themselves. Returns how many. */
  discard(source: Ownership): number {
    return this.#queue.retain(({ waiting }) => !('record' in waiting) || waiting.source !== source).length;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#release();
    });
  }

  #release(): void {
    const now = this.#clock.monotonic();
    const due: Waiting[] = [];
    let head = this.#queue.peek();
    for (; head !== undefined && head.due <= now; head = this.#queue.peek()) {
      due.push(head.waiting);
      this.#queue.shift();
    }
    if (head !== undefined) this.#arm(head.due - now);
    this.#again(due);
  }
}
