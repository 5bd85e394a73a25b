import { Queue } from '../queue.js';
import type { Ownership } from './ownership.js';
import type { Work } from './work.js';

/** All work of one key: it is handled one after another. */
export class Lane {
  readonly key: string;
  readonly queue = new Queue<Work>();
  /** `ready`: its head may start. `busy`: its head runs. `waiting`: its head failed and waits. `idle`: nothing to do. */
  state: 'idle' | 'ready' | 'busy' | 'waiting' = 'idle';

  constructor(key: string) {
    this.key = key;
  }
}

/** What may start next: heads of lanes, and work without a lane. Constant time per message, whatever the number of keys. */
export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  /** A lane stands here once for all its work. */
  readonly #ready = new Queue<Lane | Work>();
  #count = 0;

  /** Work that could be taken now. */
  get readyCount(): number {
    return this.#count;
  }

  laneOf(key: string): Lane {
    let lane = this.#byKey.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#byKey.set(key, lane);
    }
    return lane;
  }

  add(work: Work): void {
    if (work.lane === undefined) {
      this.#ready.push(work);
      this.#count += 1;
      return;
    }
    work.lane.queue.push(work);
    if (work.lane.state === 'ready') this.#count += 1;
    else if (work.lane.state === 'idle') this.#makeReady(work.lane);
  }

  /** When the work that waits longest came. */
  oldest(): number | undefined {
    const next = this.#ready.peek();
    return next instanceof Lane ? next.queue.peek()?.since : next?.since;
  }

  /** The next work that may start; its lane is busy from now on. */
  take(): Work | undefined {
    const next = this.#ready.shift();
    if (!(next instanceof Lane)) {
      if (next !== undefined) this.#count -= 1;
      return next;
    }
    this.#count -= next.queue.size;
    next.state = 'busy';
    return next.queue.shift();
  }

  /** More work of a busy lane, for a batch that has its head. */
  takeMore(lane: Lane): Work | undefined {
    return lane.queue.shift();
  }

  /** The lane's work in hand is done: the next of its key may start. */
  done(lane: Lane): void {
    if (lane.queue.size > 0) {
      this.#makeReady(lane);
    } else {
      lane.state = 'idle';
      this.#byKey.delete(lane.key);
    }
  }

  /** The lane's work in hand failed: it comes first again, after a wait. */
  wait(lane: Lane, works: readonly Work[]): void {
    lane.queue.unshift(works);
    lane.state = 'waiting';
  }

  /** Drops what is queued of `source`. Returns how many. Linear in what is queued: for losses of ownership only. */
  discard(source: Ownership): number {
    const keep = (work: Work): boolean => work.source !== source;
    let dropped = 0;
    for (const lane of [...this.#byKey.values()]) dropped += this.#discardLane(lane, keep);
    const gone = this.#ready.retain((item) => (item instanceof Lane ? item.state === 'ready' : keep(item)));
    const alone = gone.filter((item) => !(item instanceof Lane)).length;
    this.#count -= alone;
    return dropped + alone;
  }

  #discardLane(lane: Lane, keep: (work: Work) => boolean): number {
    const dropped = lane.queue.retain(keep).length;
    if (lane.state === 'ready') this.#count -= dropped;
    if (lane.queue.size === 0 && lane.state !== 'busy') {
      lane.state = 'idle';
      this.#byKey.delete(lane.key);
    }
    return dropped;
  }

  #makeReady(lane: Lane): void {
    lane.state = 'ready';
    this.#count += lane.queue.size;
    this.#ready.push(lane);
  }
}
