import type { ConsumeMessage } from '../client.js';
import type { Done } from './stream.js';

/**
 * Hands on what a stream delivers, one batch at a time: what arrives meanwhile forms the next one. The broker is told that a
 * message is dealt with when its batch is; of large ones the last are kept from it, because it counts messages and not bytes.
 */
export class Batches {
  readonly #deal: (messages: readonly ConsumeMessage[]) => Promise<void>;
  readonly #prefetch: number;
  readonly #maxBytes: number;
  #waiting: ConsumeMessage[] = [];
  /** Dealt with, and the broker does not know, the oldest first. */
  #dealt: ConsumeMessage[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param prefetch messages that the broker delivers ahead; they are to be `maxBytes` at most, about */
  constructor(deal: (messages: readonly ConsumeMessage[]) => Promise<void>, prefetch: number, maxBytes: number) {
    this.#deal = deal;
    this.#prefetch = prefetch;
    this.#maxBytes = maxBytes;
  }

  add(message: ConsumeMessage, done: Done): void {
    if (this.#stopped) return;
    this.#waiting.push(message);
    this.#running ??= this.#run(done).finally(() => {
      this.#running = undefined;
    });
  }

  /** Nothing more is handed on. Resolves when the batch that was has been dealt with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await this.#running;
  }

  async #run(done: Done): Promise<void> {
    // The rest of a chunk comes in the same turn.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#deal(batch);
      this.#acknowledge(batch, done);
    }
  }

  #acknowledge(batch: readonly ConsumeMessage[], done: Done): void {
    this.#dealt.push(...batch);
    const bytes = batch.reduce((sum, { content }) => sum + content.length, 0);
    const room = Math.max(1, Math.floor((this.#maxBytes * batch.length) / Math.max(1, bytes)));
    const count = this.#dealt.length - Math.max(0, this.#prefetch - room);
    if (count <= 0) return;
    const last = this.#dealt.splice(0, count).at(-1);
    if (last !== undefined) done(last);
  }
}
