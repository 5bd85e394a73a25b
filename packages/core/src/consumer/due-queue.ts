import type { Clock, Timer } from '../clock.js';

interface Entry<T> {
  readonly item: T;
  readonly due: number;
  readonly order: number;
  /** What is equal in both comes as it was added. */
  readonly sequence: number;
}

/** What waits, each until its own time: a binary heap, and one timer for the earliest. */
export class DueQueue<T> {
  readonly #clock: Clock;
  readonly #release: (due: readonly T[]) => void;
  #heap: Entry<T>[] = [];
  #sequence = 0;
  #timer: Timer | undefined;
  /** What the timer is set for. */
  #armed = Number.POSITIVE_INFINITY;

  /** @param release gets what has waited long enough, earliest first */
  constructor(clock: Clock, release: (due: readonly T[]) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  get size(): number {
    return this.#heap.length;
  }

  /**
   * @param due on the clock's monotonic time
   * @param order of what is due at the same time, the lesser first
   */
  add(item: T, due: number, order = 0): void {
    this.#push({ item, due, order, sequence: this.#sequence++ });
    if (due < this.#armed) this.#arm();
  }

  /** Removes and returns what satisfies `gone`. Linear, and what is removed costs a sort of the rest. */
  discard(gone: (item: T) => boolean): T[] {
    const removed = this.#heap.filter(({ item }) => gone(item));
    if (removed.length === 0) return [];
    // A sorted array is a heap.
    this.#heap = this.#heap.filter(({ item }) => !gone(item)).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#arm();
    return removed.map(({ item }) => item);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    this.stop();
    const first = this.#heap[0];
    if (first === undefined) return;
    this.#armed = first.due;
    this.#timer = this.#clock.setTimer(Math.max(0, first.due - this.#clock.monotonic()), () => {
      this.#timer = undefined;
      this.releaseDue();
    });
  }

  /** What is due goes, whether or not the timer has rung. A timer of the machine may ring a moment too early. */
  releaseDue(): void {
    const now = this.#clock.monotonic();
    const due: T[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      due.push(first.item);
      this.#shift();
    }
    if (due.length === 0 && this.#timer !== undefined) return;
    this.#arm();
    if (due.length > 0) this.#release(due);
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    for (let above = (at - 1) >> 1; at > 0 && before(entry, heap[above] as Entry<T>); above = (at - 1) >> 1) {
      heap[at] = heap[above] as Entry<T>;
      at = above;
    }
    heap[at] = entry;
  }

  /** Removes the first. */
  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<T>;
    if (heap.length === 0) return;
    let at = 0;
    for (let below = this.#lesser(at); below !== undefined && before(heap[below] as Entry<T>, last); ) {
      heap[at] = heap[below] as Entry<T>;
      at = below;
      below = this.#lesser(at);
    }
    heap[at] = last;
  }

  /** The earlier of the two below. */
  #lesser(at: number): number | undefined {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    if (left >= this.#heap.length) return undefined;
    if (right >= this.#heap.length) return left;
    return before(this.#heap[left] as Entry<T>, this.#heap[right] as Entry<T>) ? left : right;
  }
}

const before = (a: Entry<unknown>, b: Entry<unknown>): boolean =>
  (a.due - b.due || a.order - b.order || a.sequence - b.sequence) < 0;
