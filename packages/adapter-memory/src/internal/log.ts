import type { StoredMessage } from '../codec.js';

/** One partition: an append-only log whose oldest messages can be dropped. Offsets never change. */
export class Log {
  #messages: (StoredMessage | undefined)[] = [];
  /** Offset of `#messages[0]`; below `start` there are only holes. */
  #origin = 0;
  #start = 0;

  /** Offset of the oldest message that is kept. */
  get start(): number {
    return this.#start;
  }

  /** Offset that the next message will get. */
  get end(): number {
    return this.#origin + this.#messages.length;
  }

  append(message: StoredMessage): void {
    this.#messages.push(message);
  }

  get(offset: number): StoredMessage | undefined {
    return this.#messages[offset - this.#origin];
  }

  /** Drops the oldest message and returns it. */
  drop(): StoredMessage | undefined {
    const index = this.#start - this.#origin;
    const message = this.#messages[index];
    if (message === undefined) return undefined;
    this.#messages[index] = undefined;
    this.#start++;
    this.#compact();
    return message;
  }

  *[Symbol.iterator](): Iterator<StoredMessage> {
    for (let offset = this.#start; offset < this.end; offset++) yield this.get(offset) as StoredMessage;
  }

  /** Gives the dropped half back: amortised constant, and memory follows what is kept, not what passed. */
  #compact(): void {
    const holes = this.#start - this.#origin;
    if (holes < 64 || holes * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(holes);
    this.#origin = this.#start;
  }
}
