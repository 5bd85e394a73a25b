import { defineTopic, type Producer, type Subscription, type Topic } from '@anymq/core';
import { z } from 'zod';
import type { CaseContext } from '../context.js';

/** Sends under way at once. */
const WINDOW = 100;

/** One producer and one subscription, for long: messages that go through, and nobody who remembers them. */
export class Stream {
  readonly #t: CaseContext;
  readonly #topic: Topic<string, string>;
  readonly #producer: Producer;
  readonly #subscription: Subscription;
  readonly #body: string;
  #handled = 0;
  #sent = 0;

  /** @param bytes of each body */
  static async open(t: CaseContext, bytes: number): Promise<Stream> {
    // An engine that lives in this process has its history here.
    const history = t.capabilities.rows['no-history'].level === 'unsupported' ? 'full' : 'none';
    const topic = defineTopic(t.name('stream'), { schema: z.string(), history });
    const messaging = await t.messaging();
    const consumer = messaging.consumer({ group: 'g' });
    const subscription = consumer.subscribe(topic, () => {
      stream.#handled += 1;
    });
    const stream = new Stream(t, topic, messaging.producer(), subscription, bytes);
    await consumer.start();
    return stream;
  }

  private constructor(
    t: CaseContext,
    topic: Topic<string, string>,
    producer: Producer,
    subscription: Subscription,
    bytes: number,
  ) {
    this.#t = t;
    this.#topic = topic;
    this.#producer = producer;
    this.#subscription = subscription;
    this.#body = 'b'.repeat(bytes);
  }

  /** Resolves when so many more are handled, and the broker knows it. */
  async pass(count: number): Promise<void> {
    const until = this.#sent + count;
    const line = async (): Promise<void> => {
      while (this.#sent < until) {
        this.#sent += 1;
        await this.#producer.send(this.#topic, this.#body);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, line));
    await this.#t.poll(async () => this.#handled >= until, `${until} messages`);
    await this.#t.poll(async () => (await this.#subscription.lag()) === 0, 'nothing to be left to settle');
  }
}
