import type { Item } from './context.js';

const ITEMS_AT_ONCE = 20;
const PAUSE_MS = 50;

/** Messages that keep coming, a few hundred a second, while a case does something to those who receive them. */
export class Flow {
  readonly #ids: string[] = [];
  readonly #send: (items: readonly Item[]) => Promise<readonly string[]>;
  readonly #keys: number;
  readonly #done: Promise<unknown>;
  #flowing = true;

  /** @param send sends items and resolves with their ids */
  constructor(send: (items: readonly Item[]) => Promise<readonly string[]>, keys: number) {
    this.#send = send;
    this.#keys = keys;
    this.#done = this.#run().catch((error: unknown) => ({ error }));
  }

  /** Ends it; resolves with the ids of all that was sent. Rejects with what a send rejected with. */
  async stop(): Promise<readonly string[]> {
    this.#flowing = false;
    const failure = await this.#done;
    if (failure !== undefined) throw (failure as { error: unknown }).error;
    return this.#ids;
  }

  async #run(): Promise<void> {
    for (let n = 0; this.#flowing; n += ITEMS_AT_ONCE) {
      const slice = Array.from({ length: ITEMS_AT_ONCE }, (_, i) => ({ key: `k${(n + i) % this.#keys}`, n: n + i }));
      this.#ids.push(...(await this.#send(slice)));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
