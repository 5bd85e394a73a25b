/** Offsets from `from` up to, not including, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a group knows of a partition beyond its committed offset. */
export interface Progress {
  /** The oldest offset that is not finished: what is committed. */
  readonly prefix: number;
  /** Finished ranges above `prefix`, ascending, not touching each other. */
  readonly finished: readonly Range[];
  /** Failed handler calls by offset, ascending, only where there were any. */
  readonly attempts: readonly (readonly [offset: number, attempts: number])[];
  /** Everything below was given to a member of the group before. At least the end of the last finished range. */
  readonly seen: number;
}

/** What is known of a record at its delivery. */
export interface Known {
  readonly attempts: number;
  readonly redelivered: boolean;
}

/**
 * Which offsets of one partition are finished, in memory proportional to what is *not*: finished is what lies between the
 * unfinished ones. Offsets that do not exist (compacted away, transaction markers) therefore never hold the prefix up.
 */
export class OffsetTracker {
  /** Delivered and unfinished, with attempts. A map keeps the order of insertion: ascending. */
  readonly #open = new Map<number, number>();
  /** Everything below was delivered, passed or finished before. */
  #next: number;
  /** Finished before, above `#next`. */
  #ahead: Range[];
  /** Attempts of what stands above `#next`. */
  readonly #noted: Map<number, number>;
  #seen: number;

  constructor(progress: Progress) {
    this.#next = progress.prefix;
    this.#ahead = [...progress.finished];
    this.#noted = new Map(progress.attempts);
    this.#seen = Math.max(progress.seen, progress.prefix);
    this.#skipFinished();
  }

  /** The next offset worth reading. */
  get next(): number {
    return this.#next;
  }

  /** Delivered and unfinished records. */
  get open(): number {
    return this.#open.size;
  }

  /** The oldest offset that is not finished. */
  get prefix(): number {
    for (const offset of this.#open.keys()) return offset;
    return this.#next;
  }

  /** Offsets above {@link next} that are finished. */
  get finishedAhead(): number {
    return this.#ahead.reduce((sum, range) => sum + range.to - range.from, 0);
  }

  /** Takes note of a delivery. Undefined: this one was delivered or finished before, leave it out. */
  deliver(offset: number): Known | undefined {
    this.pass(offset);
    if (offset < this.#next) return undefined;
    const attempts = this.#noted.get(offset) ?? 0;
    this.#noted.delete(offset);
    this.#open.set(offset, attempts);
    const redelivered = offset < this.#seen;
    this.#advance(offset + 1);
    return { attempts, redelivered };
  }

  /** There is nothing to deliver below `offset` any more. */
  pass(offset: number): void {
    if (offset <= this.#next) return;
    this.#advance(offset);
    for (const noted of this.#noted.keys()) if (noted < this.#next) this.#noted.delete(noted);
  }

  /** False when the offset is not under way. */
  finish(offset: number): boolean {
    return this.#open.delete(offset);
  }

  /** `attempts` calls for it have failed. False when the offset is not under way. */
  hold(offset: number, attempts: number): boolean {
    if (!this.#open.has(offset)) return false;
    this.#open.set(offset, attempts);
    return true;
  }

  progress(): Progress {
    const finished: Range[] = [];
    const attempts: [number, number][] = [];
    let cursor = this.prefix;
    const prefix = cursor;
    for (const [offset, count] of this.#open) {
      if (offset > cursor) finished.push({ from: cursor, to: offset });
      if (count > 0) attempts.push([offset, count]);
      cursor = offset + 1;
    }
    if (this.#next > cursor) finished.push({ from: cursor, to: this.#next });
    finished.push(...this.#ahead);
    attempts.push(...[...this.#noted].sort(([a], [b]) => a - b));
    return { prefix, finished, attempts, seen: Math.max(this.#seen, this.#next) };
  }

  #advance(to: number): void {
    this.#next = to;
    this.#skipFinished();
  }

  #skipFinished(): void {
    let passed = 0;
    for (const range of this.#ahead) {
      if (range.from > this.#next) break;
      this.#next = Math.max(this.#next, range.to);
      passed += 1;
    }
    if (passed > 0) this.#ahead = this.#ahead.slice(passed);
  }
}
