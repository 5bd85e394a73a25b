/** Asks once for everything that is asked for in one turn. */
export class Gather<Answer> {
  readonly #ask: (ids: readonly string[]) => Promise<readonly Answer[]>;
  #waiting: { readonly id: string; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];

  /** @param ask one answer for each id, in order */
  constructor(ask: (ids: readonly string[]) => Promise<readonly Answer[]>) {
    this.#ask = ask;
  }

  get(id: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
      this.#waiting.push({ id, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.#ask(waiting.map(({ id }) => id));
      if (answers.length !== waiting.length)
        throw new TypeError(`${answers.length} answers came for ${waiting.length} ids.`);
      for (const [at, { resolve }] of waiting.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
