/** Lets loops wait for a change instead of looking for one. */
export class Wake {
  #waiting: (() => void)[] = [];

  /** Resolves at the next {@link all}. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  all(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
