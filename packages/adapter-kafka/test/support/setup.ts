import type { Adapter, IncomingRecord, OutgoingRecord, ReceiverSpec, TopicSpec } from '@anymq/core/adapter';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import type { KafkaNative, KafkaOptions } from '../../src/index.js';
import { connect, Events, FakeConsumer, observedRuntime, outgoing, plainKafka, send, settling } from './harness.js';
import { removeNamespaces } from './target.js';

/** A connected adapter for a test file, in a namespace of its own that is removed at the end. */
export class Setup {
  readonly plain: Kafka = plainKafka();
  /** What to close at the end, last first. */
  readonly open: (() => Promise<unknown>)[] = [];
  readonly #observed = observedRuntime();
  #adapter: Adapter<KafkaNative> | undefined;

  constructor() {
    beforeAll(async () => {
      this.#adapter = await connect({}, this.#observed);
    });
    afterAll(async () => {
      for (const close of this.open.reverse()) await close();
      await this.#adapter?.close();
      await removeNamespaces(this.plain, [this.namespace]);
    });
  }

  get namespace(): string {
    return this.#observed.runtime.namespace;
  }

  get adapter(): Adapter<KafkaNative> {
    if (this.#adapter === undefined) throw new Error('not connected yet');
    return this.#adapter;
  }

  nameOf(topic: TopicSpec): string {
    return `${this.namespace}.${topic.name}`;
  }

  /** Another process of the same application. */
  async another(options: Partial<KafkaOptions> = {}): Promise<Adapter<KafkaNative>> {
    const another = await connect(options, observedRuntime(this.namespace));
    this.open.push(() => another.close());
    return another;
  }

  /** A consumer that keeps everything it gets, and acknowledges it. */
  async consuming(
    topic: TopicSpec,
    group: string,
    spec: Partial<ReceiverSpec> = {},
    by = this.adapter,
    events = new Events(),
  ): Promise<FakeConsumer> {
    const consumer = await new FakeConsumer(settling, events).open(by, { topic, group, ...spec });
    this.open.push(() => consumer.close());
    return consumer;
  }

  async sendAll(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<void> {
    const results = await send(this.adapter, topic, records);
    expect(results.filter(({ status }) => status !== 'stored')).toEqual([]);
  }
}

/** Ids count from 0, over `keys` keys in turn. */
export const numbered = (topic: TopicSpec, count: number, keys: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => outgoing(topic, { id: `${i}`, key: `k${i % keys}` }));

export const ids = (records: readonly IncomingRecord[]): string[] => records.map((record) => record.id);

export const byNumber = (a: string, b: string): number => Number(a) - Number(b);
