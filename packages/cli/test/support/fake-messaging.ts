import type { Consumer, Delivery, GroupSummary, Handler, Producer, SubscribeOptions, TopicSummary } from '@anymq/core';
import type { BrowsedMessage, Messaging, OpenOptions, Topic } from '../../src/messaging-port.js';
import { FakeLetters } from './fake-letters.js';

interface Sent {
  readonly topic: Topic;
  readonly body: string;
  readonly options: Record<string, unknown>;
}

/** A messaging without a broker: it answers what the test says and keeps what it was asked. */
export class FakeMessaging implements Messaging {
  readonly letters = new FakeLetters();
  readonly sent: Sent[] = [];
  opened: OpenOptions | undefined;
  closed = 0;
  subscribed: { topic: Topic; options: SubscribeOptions; handler: Handler<Uint8Array> } | undefined;
  listings: readonly TopicSummary[] = [];
  standings: readonly GroupSummary[] = [{ group: 'shipping' }];
  kept: readonly BrowsedMessage<Uint8Array>[] = [];
  /** What the next calls throw, by method. */
  readonly failures: { send?: Error; start?: Error; groups?: Error; browse?: Error; open?: Error; stats?: Error } = {};
  /** Called when a consumer has started. */
  started: () => void = () => {};
  #listeners = new Set<Parameters<Messaging['on']>[0]>();

  readonly open = async (options: OpenOptions): Promise<Messaging> => {
    this.opened = options;
    if (this.failures.open !== undefined) throw this.failures.open;
    return this;
  };

  deadLetters() {
    if (this.failures.stats !== undefined) this.letters.stats = async () => Promise.reject(this.failures.stats);
    return this.letters;
  }

  async topics() {
    return this.listings;
  }

  /** What the topic keeps; then nothing comes any more. */
  async *browse() {
    if (this.failures.browse !== undefined) throw this.failures.browse;
    yield* this.kept as readonly BrowsedMessage<never>[];
  }

  async groups() {
    if (this.failures.groups !== undefined) throw this.failures.groups;
    return this.standings;
  }

  producer(): Producer {
    const send = async (topic: Topic, value: unknown, options: Record<string, unknown> = {}) => {
      if (this.failures.send !== undefined) throw this.failures.send;
      this.sent.push({ topic, body: Buffer.from(value as Uint8Array).toString(), options });
      return { id: String(options.id), topic: topic.name, position: '0:7', time: 0 };
    };
    return { send } as unknown as Producer;
  }

  consumer(): Consumer {
    const subscribe = (topic: Topic, handler: Handler<Uint8Array>, options: SubscribeOptions) => {
      this.subscribed = { topic, handler, options };
    };
    const start = async (): Promise<void> => {
      if (this.failures.start !== undefined) throw this.failures.start;
      this.started();
    };
    return { subscribe, start, close: async () => {} } as unknown as Consumer;
  }

  /** A message comes. */
  async deliver(body: string, fields: Partial<Delivery<Uint8Array>> = {}): Promise<void> {
    const delivery = { id: 'm-1', topic: 'orders.paid', type: 'orders.paid', key: 'o-1', headers: {}, time: 0 };
    const value = Buffer.from(body);
    await this.subscribed?.handler({ ...delivery, position: '0:1', value, ...fields } as Delivery<Uint8Array>);
  }

  on(listener: Parameters<Messaging['on']>[0]) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: Parameters<Parameters<Messaging['on']>[0]>[0]): void {
    for (const listener of this.#listeners) listener(event);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async close() {
    this.closed += 1;
  }
}
