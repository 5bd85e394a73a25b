import { Queue } from '../queue.js';
import type { Ownership } from './ownership.js';
import type { Work } from './work.js';

/** All work of one key: it is handled one after another. A list through {@link Work.next}. */
export class Lane {
  readonly key: string;
  /** `ready`: its head may start. `busy`: its head runs. `waiting`: what failed of it waits. `idle`: nothing to do. */
  state: 'idle' | 'ready' | 'busy' | 'waiting' = 'idle';
  /** How much work is queued. */
  size = 0;
  /** How much of it is being given up: the rest waits for that. */
  leaving = 0;
  #head: Work | undefined;
  #tail: Work | undefined;

  constructor(key: string) {
    this.key = key;
  }

  get head(): Work | undefined {
    return this.#head;
  }

  push(work: Work): void {
    if (this.#tail === undefined) this.#head = work;
    else this.#tail.next = work;
    this.#tail = work;
    this.size += 1;
  }

  shift(): Work | undefined {
    const work = this.#head;
    if (work === undefined) return undefined;
    this.#head = work.next;
    if (this.#head === undefined) this.#tail = undefined;
    work.next = undefined;
    this.size -= 1;
    return work;
  }

  /** Puts `works` before everything else, in their order. */
  unshift(works: readonly Work[]): void {
    this.#fill([...works, ...this.#empty()]);
  }

  /** Removes and returns what does not satisfy `keep`. Linear. */
  retain(keep: (work: Work) => boolean): Work[] {
    const all = this.#empty();
    this.#fill(all.filter(keep));
    return all.filter((work) => !keep(work));
  }

  #empty(): Work[] {
    const works: Work[] = [];
    for (let work = this.shift(); work !== undefined; work = this.shift()) works.push(work);
    return works;
  }

  #fill(works: readonly Work[]): void {
    for (const work of works) this.push(work);
  }
}

/** What may start next: heads of lanes, and work without a lane. Constant time per message, whatever the number of keys. */
export class Lanes {
  readonly #byKey = new Map<string, Lane>();
  /** A lane stands here once for all its work. */
  readonly #ready = new Queue<Lane | Work>();
  #count = 0;
  #held = 0;

  /** Work that could be taken now. */
  get readyCount(): number {
    return this.#count;
  }

  /** Work of lanes that wait. */
  get held(): number {
    return this.#held;
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
    work.lane.push(work);
    if (work.lane.state === 'ready') this.#count += 1;
    else if (work.lane.state === 'waiting') this.#held += 1;
    else if (work.lane.state === 'idle') this.#makeReady(work.lane);
  }

  /** When the work that waits longest came. */
  oldest(): number | undefined {
    const next = this.#ready.peek();
    return next instanceof Lane ? next.head?.since : next?.since;
  }

  /** The next work that may start; its lane is busy from now on. */
  take(): Work | undefined {
    const next = this.#ready.shift();
    if (!(next instanceof Lane)) {
      if (next !== undefined) this.#count -= 1;
      return next;
    }
    this.#count -= next.size;
    next.state = 'busy';
    return next.shift();
  }

  /**
   * Up to `size` that may start at `now`. The rest of a key may go with its head: one call handles them in order. What of it is
   * not due stays.
   */
  takeBatch(size: number, now: number): Work[] {
    const works: Work[] = [];
    for (let work = this.take(); work !== undefined; work = works.length < size ? this.take() : undefined) {
      works.push(work);
      for (let head = work.lane?.head; head !== undefined && works.length < size; head = work.lane?.head) {
        if (head.due > now) break;
        works.push(work.lane?.shift() as Work);
      }
    }
    return works;
  }

  /** The lane's work in hand is done: the next of its key may start. */
  done(lane: Lane): void {
    if (lane.state === 'waiting') this.#held -= lane.size;
    if (lane.size > 0) {
      this.#makeReady(lane);
    } else {
      lane.state = 'idle';
      this.#byKey.delete(lane.key);
    }
  }

  /** The lane's work in hand is done, and nothing of it may start yet. {@link done} ends that. */
  wait(lane: Lane): void {
    if (lane.state === 'waiting') return;
    lane.state = 'waiting';
    this.#held += lane.size;
  }

  /** Drops what is queued of `source`. Returns what it dropped. Linear in what is queued: for losses of ownership only. */
  discard(source: Ownership): Work[] {
    const keep = (work: Work): boolean => work.source !== source;
    const inLanes = [...this.#byKey.values()].flatMap((lane) => this.#discardLane(lane, keep));
    const gone = this.#ready.retain((item) => (item instanceof Lane ? item.state === 'ready' : keep(item)));
    const alone = gone.filter((item): item is Work => !(item instanceof Lane));
    this.#count -= alone.length;
    return [...inLanes, ...alone];
  }

  #discardLane(lane: Lane, keep: (work: Work) => boolean): Work[] {
    const dropped = lane.retain(keep);
    if (lane.state === 'ready') this.#count -= dropped.length;
    else if (lane.state === 'waiting') this.#held -= dropped.length;
    if (lane.size === 0 && lane.state !== 'busy' && lane.leaving === 0) {
      lane.state = 'idle';
      this.#byKey.delete(lane.key);
    }
    return dropped;
  }

  #makeReady(lane: Lane): void {
    lane.state = 'ready';
    this.#count += lane.size;
    this.#ready.push(lane);
  }
}
