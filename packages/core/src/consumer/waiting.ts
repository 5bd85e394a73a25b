import type { Clock } from '../clock.js';
import { DueQueue } from './due-queue.js';
import { Lane, type Lanes } from './lanes.js';
import type { Ownership } from './ownership.js';
import type { Work } from './work.js';

/** Work that no handler may have yet: each waits until it is due, and a lane until its head is. */
export class Waiting {
  readonly #clock: Clock;
  readonly #lanes: Lanes;
  readonly #queue: DueQueue<Lane | Work>;
  /** Work without a lane. */
  #alone = 0;

  /** @param ready something may start now */
  constructor(clock: Clock, lanes: Lanes, ready: () => void) {
    this.#clock = clock;
    this.#lanes = lanes;
    this.#queue = new DueQueue(clock, (due) => {
      this.#release(due);
      ready();
    });
  }

  /** How much waits, what stands behind it in its lane included. */
  get held(): number {
    return this.#alone + this.#lanes.held;
  }

  /** Work without a lane, until it is due. */
  add(work: Work): void {
    this.#alone += 1;
    this.#queue.add(work, work.due);
  }

  /** The lane's work in hand is done: its next may start, now or when it is due. `works` of what was in hand come first again. */
  next(lane: Lane, works: readonly Work[] = []): void {
    if (works.length > 0) lane.unshift(works);
    const { head, leaving } = lane;
    const due = leaving > 0 ? Number.POSITIVE_INFINITY : head?.due;
    // Most keys have nothing more: no look at the clock for these.
    if (due === undefined || due <= this.#clock.monotonic()) {
      this.#lanes.done(lane);
      return;
    }
    this.#lanes.wait(lane);
    // What is being given up says itself when it is gone.
    if (leaving === 0) this.#queue.add(lane, due);
  }

  /** Drops work of `source`: returns it. Lanes have dropped theirs before, and wait for another head now. */
  discard(source: Ownership): Work[] {
    const gone = this.#queue.discard((item) => item instanceof Lane || item.source === source);
    const works = gone.filter((item): item is Work => !(item instanceof Lane));
    this.#alone -= works.length;
    for (const item of gone) if (item instanceof Lane && item.state === 'waiting') this.next(item);
    return works;
  }

  stop(): void {
    this.#queue.stop();
  }

  #release(due: readonly (Lane | Work)[]): void {
    for (const item of due) {
      if (item instanceof Lane) {
        // A lane that lost its work meanwhile is not waiting any more.
        if (item.state === 'waiting') this.#lanes.done(item);
      } else {
        this.#alone -= 1;
        this.#lanes.add(item);
      }
    }
  }
}
