/** Counts calls without an outcome, so that a flush waits for those before it and for none after it. */
export class Outstanding {
  #epoch = 0;
  /** Calls of each epoch that have no outcome yet. */
  readonly #open = new Map<number, number>();
  #waiters: { readonly epoch: number; readonly resolve: () => void }[] = [];

  get idle(): boolean {
    return this.#open.size === 0;
  }

  /** A call begins. Give the result to {@link end}. */
  begin(): number {
    this.#open.set(this.#epoch, (this.#open.get(this.#epoch) ?? 0) + 1);
    return this.#epoch;
  }

  end(epoch: number): void {
    const left = (this.#open.get(epoch) ?? 1) - 1;
    if (left > 0) {
      this.#open.set(epoch, left);
      return;
    }
    this.#open.delete(epoch);
    this.#wake();
  }

  /** Resolves when every call that began before has ended. */
  settled(): Promise<void> {
    if (this.idle) return Promise.resolve();
    const epoch = this.#epoch;
    this.#epoch += 1;
    return new Promise((resolve) => this.#waiters.push({ epoch, resolve }));
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const oldest = Math.min(...this.#open.keys(), Number.POSITIVE_INFINITY);
    const ready = this.#waiters.filter(({ epoch }) => epoch < oldest);
    this.#waiters = this.#waiters.filter(({ epoch }) => epoch >= oldest);
    for (const { resolve } of ready) resolve();
  }
}
