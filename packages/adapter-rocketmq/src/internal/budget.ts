/** So many bytes may be held at once. One who needs more than there is goes alone. */
export class Budget {
  #total: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  async take(bytes: number): Promise<void> {
    while (this.#taken > 0 && this.#taken + bytes > this.#total) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    this.#taken += bytes;
  }

  /** Less than nothing: more is held than was taken. */
  give(bytes: number): void {
    this.#taken -= bytes;
    this.#wake();
  }

  /** Nobody waits any more. */
  lift(): void {
    this.#total = Number.POSITIVE_INFINITY;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
