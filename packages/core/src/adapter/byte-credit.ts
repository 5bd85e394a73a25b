/** Counts the bytes of bodies that core still takes, for an adapter's {@link Receiver}. */
export class ByteCredit {
  readonly #max: number;
  #left = 0;
  #refused = 0;

  /** @param max the receiver's `maxInFlightBytes` */
  constructor(max: number) {
    this.#max = max;
  }

  add(bytes: number): void {
    this.#left += bytes;
  }

  /** Whether a record with a body of `bytes` may be handed over now; then its credit is taken. */
  take(bytes: number): boolean {
    // Larger than everything allowed: it goes when all credit is back, which is when nothing is under way.
    if (this.#left < this.#max && Math.max(bytes, this.#refused) > this.#left) {
      // Small ones of other sources must not use up for ever what a large one waits for.
      this.#refused = Math.max(bytes, this.#refused);
      return false;
    }
    this.#refused = 0;
    this.#left -= bytes;
    return true;
  }
}
