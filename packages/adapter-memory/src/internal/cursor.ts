/**
 * Where a group stands in one partition: everything below `committed` is settled, some of what was delivered above it is
 * too. Durable as long as the broker: it outlives every member.
 */
export class Cursor {
  #committed: number;
  /** For every offset from `#origin` to the last one ever delivered: is it settled? */
  #settled: boolean[] = [];
  #origin: number;
  #settledAbove = 0;
  #next: number;
  #attempts: Map<number, number> | undefined;

  constructor(start: number) {
    this.#committed = start;
    this.#origin = start;
    this.#next = start;
  }

  /** Lowest offset that is not settled. */
  get committed(): number {
    return this.#committed;
  }

  /** Offset that would be delivered next, unless it is settled. */
  get next(): number {
    return this.#next;
  }

  /** Messages below `end` that are not settled. */
  unsettled(end: number): number {
    return end - this.#committed - this.#settledAbove;
  }

  /** Messages that were taken since the last {@link rewind} and are not settled. */
  get outstanding(): number {
    let count = 0;
    for (let offset = this.#committed; offset < this.#next; offset++) {
      if (this.#settled[offset - this.#origin] === false) count++;
    }
    return count;
  }

  /** Was the message given to a member before? */
  delivered(offset: number): boolean {
    return offset < this.#origin + this.#settled.length;
  }

  /** Failed handler calls that were noted for the message. */
  attempts(offset: number): number {
    return this.#attempts?.get(offset) ?? 0;
  }

  /** A new owner begins with the oldest unsettled message. */
  rewind(): void {
    this.#next = this.#committed;
  }

  /** Is there something to take below `end`? Steps over what was settled above the committed offset. */
  ready(end: number): boolean {
    while (this.#settled[this.#next - this.#origin] === true) this.#next++;
    return this.#next < end;
  }

  /** Takes the message that {@link ready} found. */
  take(): number {
    const offset = this.#next++;
    if (!this.delivered(offset)) this.#settled.push(false);
    return offset;
  }

  hold(offset: number, attempts: number): void {
    this.#attempts ??= new Map();
    this.#attempts.set(offset, attempts);
  }

  /** The message is done. Does nothing when it was settled before. */
  settle(offset: number): void {
    const index = offset - this.#origin;
    if (this.#settled[index] !== false) return;
    this.#settled[index] = true;
    this.#attempts?.delete(offset);
    if (offset === this.#committed) this.#advance();
    else this.#settledAbove++;
  }

  #advance(): void {
    this.#committed++;
    while (this.#settled[this.#committed - this.#origin] === true) {
      this.#committed++;
      this.#settledAbove--;
    }
    const passed = this.#committed - this.#origin;
    if (passed < 1024 || passed * 2 < this.#settled.length) return;
    this.#settled = this.#settled.slice(passed);
    this.#origin = this.#committed;
  }
}
