import type { Reader, ReaderSink } from '@anymq/core/adapter';
import type { Topic } from './topic.js';

/** Records that are handed over at once. */
const BATCH = 1_000;

// #region reader
/** Reads a topic without a group: all it has is its place. */
export class FileReader implements Reader {
  readonly #topic: Topic;
  readonly #sink: ReaderSink;
  readonly #announce = (): void => this.#readSoon();
  #next: number;
  #reading = false;

  constructor(topic: Topic, from: 'earliest' | 'latest', sink: ReaderSink) {
    this.#topic = topic;
    this.#sink = sink;
    this.#next = from === 'earliest' ? 0 : topic.messages.length;
    topic.listeners.add(this.#announce);
    this.#readSoon();
  }

  async close(): Promise<void> {
    this.#topic.listeners.delete(this.#announce);
  }

  get #open(): boolean {
    return this.#topic.listeners.has(this.#announce);
  }

  #readSoon(): void {
    if (this.#reading) return;
    this.#reading = true;
    setImmediate(() => void this.#read());
  }

  /** One batch after the other: core says by resolving that it takes the next one. */
  async #read(): Promise<void> {
    while (this.#open && this.#next < this.#topic.messages.length) {
      const first = this.#next;
      const messages = this.#topic.messages.slice(first, first + BATCH);
      this.#next += messages.length;
      await this.#sink.read(messages.map((message, i) => ({ ...message, position: String(first + i) })));
    }
    this.#reading = false;
  }
}
// #endregion
