import { defineTopic, type Producer, type Subscription, type Topic } from '@anymq/core';
import { z } from 'zod';
import type { CaseContext } from '../context.js';

/** Sends under way at once. */
const WINDOW = 100;

interface Topics {
  readonly topic: Topic<string, string>;
  /** Nobody subscribes to it. There is none where it would have no history. */
  readonly beside: Topic<string, string> | undefined;
}

/** One producer and one subscription, for long: messages that go through, and nobody who remembers them. */
export class Stream {
  readonly #t: CaseContext;
  readonly #topics: Topics;
  readonly #producer: Producer;
  readonly #subscription: Subscription;
  readonly #body: string;
  #handled = 0;
  #sent = 0;

  /** @param bytes of each body */
  static async open(t: CaseContext, bytes: number): Promise<Stream> {
    const history = t.capabilities.rows['no-history'].level === 'unsupported' ? 'full' : 'none';
    const topic = defineTopic(t.name('stream'), { schema: z.string(), history });
    const messaging = await t.messaging();
    const consumer = messaging.consumer({ group: 'g' });
    const subscription = consumer.subscribe(topic, () => {
      stream.#handled += 1;
    });
    const beside = history === 'full' ? defineTopic(t.name('unread'), { schema: z.string() }) : undefined;
    const stream = new Stream(t, { topic, beside }, messaging.producer(), subscription, bytes);
    await consumer.start();
    return stream;
  }

  private constructor(t: CaseContext, topics: Topics, producer: Producer, subscription: Subscription, bytes: number) {
    this.#t = t;
    this.#topics = topics;
    this.#producer = producer;
    this.#subscription = subscription;
    this.#body = 'b'.repeat(bytes);
  }

  /** Resolves when so many more are handled, and the broker knows it. */
  async pass(count: number): Promise<void> {
    this.#sent += count;
    await this.#send(this.#topics.topic, count);
    await this.#t.poll(async () => this.#handled >= this.#sent, `${this.#sent} messages`);
    await this.#t.poll(async () => (await this.#subscription.lag()) === 0, 'nothing to be left to settle');
  }

  /** Messages that nobody handles, where there is a history: an engine that lives in this process has it here. */
  async unread(count: number): Promise<void> {
    if (this.#topics.beside !== undefined) await this.#send(this.#topics.beside, count);
  }

  async #send(topic: Topic<string, string>, count: number): Promise<void> {
    let left = count;
    const line = async (): Promise<void> => {
      while (left-- > 0) await this.#producer.send(topic, this.#body);
    };
    await Promise.all(Array.from({ length: WINDOW }, line));
  }
}
