import type { Reader, ReadRecord } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import { sever } from '../src/client.js';
import { plainClient, removeTopic } from './support/broker.js';
import { TestConsumer } from './support/consumer.js';
import { record, topicSpec, uniqueNamespace, until } from './support/runtime.js';
import { connected, groupSpec, numbered, sendAll, type TestAdapter } from './support/setup.js';

const namespace = uniqueNamespace();
const adapters: TestAdapter[] = [];
const topics: [name: string, buckets: number][] = [];

const adapter = async (): Promise<TestAdapter> => {
  const made = await connected(namespace);
  adapters.push(made);
  return made;
};

const topicFor = (name: string, changes: Parameters<typeof topicSpec>[1] = {}): ReturnType<typeof topicSpec> => {
  topics.push([name, changes.oneLane === true ? 1 : 16]);
  return topicSpec(name, changes);
};

afterEach(async () => {
  await Promise.all(adapters.splice(0).map((each) => each.close()));
  for (const [name, buckets] of topics.splice(0)) await removeTopic(namespace, name, ['g'], buckets);
});

/** What a reader saw. */
class Seen {
  readonly records: ReadRecord[] = [];
  readonly failures: unknown[] = [];
  batches = 0;
  atOnce = 0;
  #running = 0;
  readonly #slow: () => Promise<unknown>;
  reader: Reader | undefined;

  constructor(slow: () => Promise<unknown> = async () => {}) {
    this.#slow = slow;
  }

  get ids(): string[] {
    return this.records.map(({ id }) => id);
  }

  async open(home: TestAdapter, topic: Parameters<TestAdapter['openReader']>[0], from: 'earliest' | 'latest') {
    this.reader = await home.openReader(topic, from, {
      read: async (records) => {
        this.#running += 1;
        this.atOnce = Math.max(this.atOnce, this.#running);
        this.batches += 1;
        this.records.push(...records);
        await this.#slow();
        this.#running -= 1;
      },
      failed: (error) => void this.failures.push(error),
    });
    return this;
  }
}

const idsOf = (records: readonly { id: string }[]): string[] => records.map(({ id }) => id);

describe('a reader', () => {
  test('reads 10,000 records of a ledger from the earliest, in order, and what comes', async () => {
    const home = await adapter();
    const topic = topicFor('ledger', { oneLane: true, retention: 'last-of-key' });
    const sender = await home.openSender(topic);
    const records = numbered('m', 10_000, 7);
    await sendAll(sender, records);
    const began = performance.now();
    const seen = await new Seen().open(home, topic, 'earliest');
    await until(() => seen.records.length >= 10_000, 'all that is kept');
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(seen.batches).toBeLessThan(5_000);
    await sendAll(sender, [record('last', 'k', 'b', { headers: { a: 'b' } })]);
    await until(() => seen.records.length > 10_000, 'what comes');
    expect(seen.ids).toEqual([...idsOf(records), 'last']);
    expect(seen.records.at(-1)).toMatchObject({
      key: 'k',
      headers: { a: 'b' },
      type: 'orders',
      time: 1_763_900_000_123,
    });
    expect(new Set(seen.records.map(({ position }) => position)).size).toBe(10_001);
  }, 60_000);

  test('of a ledger keeps its stream without a limit', async () => {
    const topic = topicFor('kept', { oneLane: true, retention: 'last-of-key' });
    await (await adapter()).openSender(topic);
    const client = await plainClient();
    const limited = { 'x-queue-type': 'stream', 'x-stream-max-segment-size-bytes': 20_000_000, 'x-max-age': '7D' };
    const asked = client.channel.assertQueue(`${namespace}.kept:history`, { durable: true, arguments: limited });
    client.channel.on('error', () => {});
    await expect(asked).rejects.toThrow(/'x-max-age'.*current is none/);
    await client.connection.close();
  });

  test('of the latest sees everything sent after it opened, and nothing before, for 20 of them', async () => {
    const home = await adapter();
    const topic = topicFor('latest');
    const sender = await home.openSender(topic);
    for (let round = 0; round < 20; round += 1) {
      await sendAll(sender, [record(`old-${round}`, 'k', 'b')]);
      const seen = await new Seen().open(home, topic, 'latest');
      await sendAll(sender, [record(`new-${round}`, 'k', 'b')]);
      await until(() => seen.records.length > 0, 'what comes');
      expect(seen.ids).toEqual([`new-${round}`]);
      await seen.reader?.close();
    }
  }, 60_000);

  test.each(['earliest', 'latest'] as const)(
    'of the %s goes on where it stood after connections were lost',
    async (from) => {
      const home = await adapter();
      const writer = await adapter();
      const topic = topicFor(`cut-${from}`);
      const sender = await writer.openSender(topic);
      const seen = await new Seen(() => new Promise((resolve) => setTimeout(resolve, 2))).open(home, topic, from);
      const cut = async (): Promise<void> => {
        sever(home.native.consumeConnection, 'cut by the test');
        await until(() => home.runtime.states.at(-1) === 'down', 'the connection is down');
      };
      // Before the first record too.
      await cut();
      const records = numbered('m', 5_000, 16);
      for (let sent = 0; sent < records.length; sent += 1_000) {
        await sendAll(sender, records.slice(sent, sent + 1_000));
        await until(() => seen.records.length > sent, 'some of it');
        await cut();
      }
      await until(() => seen.records.length >= records.length, 'all of it');
      expect(seen.ids).toEqual(idsOf(records));
      expect(seen.atOnce).toBe(1);
      expect(seen.failures).toEqual([]);
    },
    60_000,
  );

  test('is handed nothing more once it was closed, also by its sink, and fails when the topic is deleted', async () => {
    const home = await adapter();
    const topic = topicFor('closed');
    const sender = await home.openSender(topic);
    await sendAll(sender, numbered('m', 2_000, 4));
    const seen: Seen = new Seen(async () => seen.reader?.close());
    await seen.open(home, topic, 'earliest');
    await until(() => seen.batches > 0, 'a batch');
    await seen.reader?.close();
    const after = seen.records.length;
    const other = await new Seen().open(home, topic, 'earliest');
    await until(() => other.records.length === 2_000, 'all by another');
    expect(seen.records.length).toBe(after);
    await sender.close();
    const client = await plainClient();
    await client.channel.deleteQueue(`${namespace}.closed:history`);
    await client.close();
    await until(() => other.failures.length > 0, 'the failure');
    expect(home.classify(other.failures[0]).code).toBe('NOT_FOUND');
  }, 30_000);

  test('is refused for a topic without history', async () => {
    const opening = new Seen().open(await adapter(), topicSpec('none', { history: 'none' }), 'earliest');
    await expect(opening).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('a topic of one lane', () => {
  test('keeps one order over all keys with one owner at a time, and gives as much as may be held', async () => {
    const home = await adapter();
    const topic = topicFor('lane', { oneLane: true });
    const sender = await home.openSender(topic);
    const records = numbered('m', 2_500, 50);
    await sendAll(sender, records);
    const held = await new TestConsumer({ handler: () => false }).start(
      home,
      groupSpec(topic, 'g', { maxInFlight: 2_000 }),
    );
    await until(() => held.handled.length === 2_000, 'all that may be held');
    const second = await new TestConsumer({ member: 'two' }).start(await adapter(), groupSpec(topic, 'g'));
    // Out of order: the second half is settled, the first comes again to the next owner.
    const late = held.held.filter(({ id }) => Number(id.slice(2)) >= 1_000);
    held.receiver.settle(late);
    await held.stop();
    await until(() => second.handled.length >= 1_500, 'the rest');
    const settled = new Set(idsOf(late));
    expect(idsOf(second.handled)).toEqual(idsOf(records).filter((id) => !settled.has(id)));
    expect(held.sources.length + second.sources.length).toBeLessThanOrEqual(3);
    await second.stop();
  }, 60_000);
});
