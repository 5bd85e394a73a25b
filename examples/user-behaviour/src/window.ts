/** Counts what is under way, at most `limit`, without a promise for each. For one waiting caller. */
export class Window {
  readonly #limit: number;
  #underWay = 0;
  #wake: (() => void) | undefined;
  #wakeAt = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#underWay >= this.#limit;
  }

  enter(): void {
    this.#underWay += 1;
  }

  leave(): void {
    this.#underWay -= 1;
    if (this.#underWay <= this.#wakeAt) this.#wake?.();
  }

  /** Resolves when half of it is free: one wake-up for many. */
  room(): Promise<void> {
    return this.#until(Math.floor(this.#limit / 2));
  }

  /** Resolves when nothing is under way. */
  empty(): Promise<void> {
    return this.#until(0);
  }

  #until(underWay: number): Promise<void> {
    if (this.#underWay <= underWay) return Promise.resolve();
    this.#wakeAt = underWay;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
