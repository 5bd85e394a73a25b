/** Counts calls without an outcome, so that a flush waits for those before it and for none after it. */
export class Outstanding {
  #epoch = 0;
  /** Of the latest epoch; a number, because every send changes it twice. */
  #latest = 0;
  /** Calls of each earlier epoch that have no outcome yet. */
  readonly #earlier = new Map<number, number>();
  #waiters: { readonly epoch: number; readonly resolve: () => void }[] = [];

  get idle(): boolean {
    return this.#latest === 0 && this.#earlier.size === 0;
  }

  /** A call begins. Give the result to {@link end}. */
  begin(): number {
    this.#latest += 1;
    return this.#epoch;
  }

  end(epoch: number): void {
    if (epoch === this.#epoch) {
      this.#latest -= 1;
      return;
    }
    const left = (this.#earlier.get(epoch) ?? 1) - 1;
    if (left > 0) {
      this.#earlier.set(epoch, left);
      return;
    }
    this.#earlier.delete(epoch);
    this.#wake();
  }

  /** Resolves when every call that began before has ended. */
  settled(): Promise<void> {
    if (this.idle) return Promise.resolve();
    if (this.#latest > 0) this.#close();
    const epoch = this.#epoch - 1;
    return new Promise((resolve) => this.#waiters.push({ epoch, resolve }));
  }

  /** Calls from now on are another epoch's. */
  #close(): void {
    this.#earlier.set(this.#epoch, this.#latest);
    this.#epoch += 1;
    this.#latest = 0;
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const oldest = Math.min(...this.#earlier.keys(), Number.POSITIVE_INFINITY);
    const ready = this.#waiters.filter(({ epoch }) => epoch < oldest);
    this.#waiters = this.#waiters.filter(({ epoch }) => epoch >= oldest);
    for (const { resolve } of ready) resolve();
  }
}
