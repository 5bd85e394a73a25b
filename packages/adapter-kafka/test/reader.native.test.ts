import type { Adapter, ConfiguredAdapter, IncomingRecord, ReadRecord, TopicSpec } from '@anymq/core/adapter';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KafkaNative } from '../src/index.js';
import {
  Events,
  eventually,
  FakeConsumer,
  observedRuntime,
  send,
  settling,
  topicSpec,
  unique,
} from './support/harness.js';
import { byNumber, numbered } from './support/setup.js';
import { target } from './support/target.js';

const observed = observedRuntime();
const closing: (() => Promise<unknown>)[] = [];
let broker: Awaited<ReturnType<typeof target.open>>;
let adapter: Adapter<KafkaNative>;

beforeAll(async () => {
  broker = await target.open();
  closing.push(async () => broker.close?.());
  adapter = await connected(broker.configure());
}, 60_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
}, 60_000);

async function connected(configured: ConfiguredAdapter): Promise<Adapter<KafkaNative>> {
  const created = configured.create(observedRuntime(observed.runtime.namespace).runtime) as Adapter<KafkaNative>;
  await created.connect(new AbortController().signal);
  closing.push(() => created.close());
  return created;
}

const ids = (records: readonly { readonly id: string }[]): string[] => records.map(({ id }) => id);
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);
const oneLane = (): TopicSpec => topicSpec({ oneLane: true });

class Reading {
  readonly records: ReadRecord[] = [];
  readonly failures: unknown[] = [];
  readonly events = new Events();
  /** Each batch waits for it. */
  gate: Promise<void> = Promise.resolve();

  async open(topic: TopicSpec, from: 'earliest' | 'latest', by = adapter): Promise<this> {
    const reader = await by.openReader(topic, from, {
      read: async (records) => {
        this.records.push(...records);
        this.events.changed();
        await this.gate;
      },
      failed: (error) => this.failures.push(error),
    });
    closing.push(() => reader.close());
    return this;
  }

  until(count: number): Promise<void> {
    return this.events.until(() => this.records.length >= count, `${count} records`);
  }
}

test('earliest: all that is kept, then what comes, in order of each partition', async () => {
  const topic = topicSpec();
  const sent = numbered(topic, 200, 20);
  await send(adapter, topic, sent.slice(0, 100));
  const reading = await new Reading().open(topic, 'earliest');
  await reading.until(100);
  await send(adapter, topic, sent.slice(100));
  await reading.until(200);
  for (let key = 0; key < 20; key++) {
    const got = ids(reading.records.filter((record) => record.key === `k${key}`)).map(Number);
    expect(got).toEqual(Array.from({ length: 10 }, (_, i) => i * 20 + key));
  }
  expect(await adapter.groups(topic.name)).toEqual([]);
});

test('latest: what is sent from then on, and nothing before', async () => {
  const topic = oneLane();
  await send(adapter, topic, numbered(topic, 10, 3));
  const reading = await new Reading().open(topic, 'latest');
  await send(adapter, topic, numbered(topic, 30, 3).slice(10));
  await reading.until(20);
  expect(ids(reading.records)).toEqual(numbers(10, 30));
});

test('goes on where it stood when its connections are cut, again and again', async () => {
  if (broker.proxied === undefined) throw new Error('this target has a proxy');
  const way = await broker.proxied();
  const topic = oneLane();
  const reading = await new Reading().open(topic, 'earliest', await connected(way.configure()));
  const sent = numbered(topic, 500, 7);
  for (let i = 0; i < 5; i++) {
    await send(adapter, topic, sent.slice(i * 100, i * 100 + 50));
    way.proxy.cut();
    await send(adapter, topic, sent.slice(i * 100 + 50, i * 100 + 100));
    await reading.until(i * 100 + 60);
  }
  await reading.until(500);
  expect(ids(reading.records)).toEqual(numbers(0, 500));
  expect(reading.failures).toEqual([]);
});

test('keeps little while a batch is awaited, and 10,000 records are read in well under 2 s', async () => {
  const topic = oneLane();
  await send(adapter, topic, numbered(topic, 10_000, 50));
  const slow = new Reading();
  let release = (): void => {};
  slow.gate = new Promise((resolve) => {
    release = resolve;
  });
  await slow.open(topic, 'earliest');
  await slow.until(1);
  const began = performance.now();
  const fast = await new Reading().open(topic, 'earliest');
  await fast.until(10_000);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(slow.records.length).toBeLessThan(10_000);
  release();
  await slow.until(10_000);
  expect(ids(slow.records)).toEqual(numbers(0, 10_000));
});

test('a topic of one lane has one partition, and one that has more is refused', async () => {
  const lane = oneLane();
  await send(adapter, lane, numbered(lane, 100, 40));
  const reading = await new Reading().open(lane, 'earliest');
  await reading.until(100);
  expect(ids(reading.records)).toEqual(numbers(0, 100));
  const wide = topicSpec();
  await (await adapter.openSender(wide)).close();
  const refused = await adapter.openSender({ ...wide, oneLane: true }).catch((error: unknown) => error);
  expect(adapter.classify(refused)).toEqual({ code: 'CONFLICT', retryable: false });
});

test('one lane holds as much as its receiver takes, and what falls due in any order comes no second time', async () => {
  const topic = oneLane();
  const group = unique('g');
  const held: IncomingRecord[] = [];
  await send(adapter, topic, numbered(topic, 4_000, 2_500));
  const first = await new FakeConsumer((record, consumer) => {
    if (Number(record.id) % 2 === 0) consumer.settle(record);
    else held.push(record);
    consumer.events.changed();
  }).open(adapter, { topic, group }, 2_000);
  await first.events.until(() => held.length === 2_000, 'all delivered, half held');
  const due = held.filter((record) => Number(record.id) % 4 === 3).reverse();
  for (const record of due) first.settle(record);
  await first.close();
  const second = await new FakeConsumer(settling).open(adapter, { topic, group }, 2_000);
  closing.push(() => second.close());
  await second.events.until(() => second.records.length >= 1_000, 'what was not settled');
  await eventually(async () => (await second.receiver?.lag()) === 0, 'no lag');
  expect(ids(second.records).sort(byNumber)).toEqual(numbers(0, 4_000).filter((id) => Number(id) % 4 === 1));
});

test('a ledger keeps the last record of each key, without a limit of time', async () => {
  const topic = topicSpec({ oneLane: true, retention: 'last-of-key' });
  await (await adapter.openSender(topic)).close();
  const { resources } = await adapter.native.admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: `${observed.runtime.namespace}.${topic.name}` }],
  });
  const configured = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  );
  expect([configured.get('cleanup.policy'), configured.get('retention.ms')]).toEqual(['compact', '-1']);
});

test('whether a topic exists, which there are, and who receives them', async () => {
  const topic = topicSpec({ name: unique('anymq.inbox') });
  expect(await adapter.exists(topic)).toBe(false);
  expect(await adapter.topics()).not.toContain(topic.name);
  const missing = await adapter.groups(topic.name).catch((error: unknown) => error);
  expect(adapter.classify(missing)).toEqual({ code: 'NOT_FOUND', retryable: false });
  await send(adapter, topic, numbered(topic, 10, 3));
  expect(await adapter.exists(topic)).toBe(true);
  expect(await adapter.topics()).toContain(topic.name);
  expect(await adapter.groups(topic.name)).toEqual([]);
  const consumer = await new FakeConsumer((record, self) => {
    if (Number(record.id) >= 4) self.settle(record);
  }).open(adapter, { topic, group: 'shipping' });
  await consumer.events.until(() => consumer.records.length === 10, 'all delivered');
  await eventually(async () => (await adapter.groups(topic.name))[0]?.lag === 4, 'what is settled is stored');
  expect(await adapter.groups(topic.name)).toEqual([{ group: 'shipping', members: 1, lag: 4 }]);
  await consumer.close();
});
