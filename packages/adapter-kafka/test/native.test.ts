import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Adapter, IncomingRecord, OutgoingRecord, TopicSpec } from '@anymq/core/adapter';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs';
import type { KafkaNative } from '../src/index.js';
import {
  connect,
  Events,
  eventually,
  FakeConsumer,
  observedRuntime,
  outgoing,
  plainKafka,
  send,
  settling,
  topicSpec,
  unique,
} from './support/harness.js';
import { removeNamespaces } from './support/target.js';

const observed = observedRuntime();
const { namespace } = observed.runtime;
const nameOf = (topic: TopicSpec): string => `${namespace}.${topic.name}`;
const plain: Kafka = plainKafka();
const open: (() => Promise<unknown>)[] = [];
let adapter: Adapter<KafkaNative>;

beforeAll(async () => {
  adapter = await connect({}, observed);
});
afterAll(async () => {
  for (const close of open.reverse()) await close();
  await adapter.close();
  await removeNamespaces(plain, [namespace]);
});

/** Another process of the same application. */
async function anotherAdapter(options: Parameters<typeof connect>[0] = {}): Promise<Adapter<KafkaNative>> {
  const another = await connect(options, observedRuntime(namespace));
  open.push(() => another.close());
  return another;
}

/** One that keeps everything it gets, and acknowledges it. */
async function consuming(
  topic: TopicSpec,
  group: string,
  spec = {},
  by = adapter,
  events = new Events(),
): Promise<FakeConsumer> {
  const consumer = await new FakeConsumer(settling, events).open(by, { topic, group, ...spec });
  open.push(() => consumer.close());
  return consumer;
}

async function sendAll(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<void> {
  const results = await send(adapter, topic, records);
  expect(results.filter(({ status }) => status !== 'stored')).toEqual([]);
}

const numbered = (topic: TopicSpec, count: number, keys: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => outgoing(topic, { id: `${i}`, key: `k${i % keys}` }));
const ids = (records: readonly IncomingRecord[]): string[] => records.map((record) => record.id);
const byNumber = (a: string, b: string): number => Number(a) - Number(b);

describe('golden vectors', () => {
  const time = Date.now();

  async function readPlainly(topic: TopicSpec): Promise<KafkaMessage> {
    const consumer: Consumer = plain.consumer({ groupId: unique('plain') });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic: nameOf(topic), fromBeginning: true });
      return await new Promise((resolve) => {
        void consumer.run({ eachMessage: async ({ message }) => resolve(message) });
      });
    } finally {
      await consumer.disconnect();
    }
  }

  const textHeaders = (message: KafkaMessage): Record<string, string> =>
    Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]));

  test('a plain client reads what AnyMQ wrote', async () => {
    const topic = topicSpec();
    await sendAll(topic, [
      outgoing(topic, {
        id: 'id-1',
        key: 'schlüssel',
        body: Buffer.from([0, 255, 1]),
        headers: { tenant: 'ä 日本' },
        time,
      }),
    ]);
    const message = await readPlainly(topic);
    expect(message.key).toEqual(Buffer.from('schlüssel'));
    expect(message.value).toEqual(Buffer.from([0, 255, 1]));
    expect(message.timestamp).toBe(String(time));
    expect(textHeaders(message)).toEqual({ tenant: 'ä 日本', 'anymq-id': 'id-1' });
  });

  test('a plain client reads CloudEvents', async () => {
    const topic = topicSpec({ envelope: 'cloudevents', contentType: 'application/json' });
    await sendAll(topic, [outgoing(topic, { id: 'id-1', time, body: Buffer.from('{}') })]);
    const message = await readPlainly(topic);
    expect(textHeaders(message)).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'id-1',
      ce_source: `/${namespace}/${topic.name}`,
      ce_type: topic.name,
      ce_time: new Date(time).toISOString(),
      ce_partitionkey: 'k',
    });
  });

  test("a plain client's messages are delivered", async () => {
    const topic = topicSpec();
    await (await adapter.openSender(topic)).close();
    const producer = plain.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({
      topic: nameOf(topic),
      messages: [
        {
          partition: 0,
          key: 'k',
          value: Buffer.from([1, 0, 2]),
          headers: { a: 'ü', b: ['1', '2'] },
          timestamp: String(time),
        },
        { partition: 0, value: null, timestamp: '5' },
        {
          partition: 0,
          value: 'ce',
          headers: { ce_id: 'event-1', ce_type: 'x', ce_specversion: '1.0', 'content-type': 'text/plain' },
        },
      ],
    });
    await producer.disconnect();
    const consumer = await consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length === 3, 'three messages');
    const [first, second, third] = consumer.records as [IncomingRecord, IncomingRecord, IncomingRecord];
    expect(first).toMatchObject({
      id: `${nameOf(topic)}/0/0`,
      position: '0:0',
      key: 'k',
      headers: { a: 'ü', b: '2' },
      time,
      attempts: 0,
      redelivered: false,
    });
    expect(Buffer.from(first.body)).toEqual(Buffer.from([1, 0, 2]));
    expect(second).toMatchObject({ id: `${nameOf(topic)}/0/1`, key: undefined, headers: undefined, time: 5 });
    expect(second.body.length).toBe(0);
    expect(third).toMatchObject({ id: 'event-1', type: 'x', contentType: 'text/plain', headers: undefined });
  });

  test('a key goes where the plain client sends it', async () => {
    const topic = topicSpec();
    const sender = await adapter.openSender(topic);
    const producer = plain.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    for (const key of ['21', 'foobar', 'ключ', 'k']) {
      const [answer] = await producer.send({ topic: nameOf(topic), messages: [{ key, value: 'v' }] });
      expect(sender.laneOf(outgoing(topic, { key }))).toBe(answer?.partition);
    }
    await producer.disconnect();
  });

  test('a time far from the present survives, and retention does not see it', async () => {
    const topic = topicSpec();
    const times = [0, 1, 946_684_800_000, time, 4_102_444_800_000];
    await sendAll(
      topic,
      times.map((each) => outgoing(topic, { time: each })),
    );
    const consumer = await consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length === times.length, 'all times');
    expect(consumer.records.map((record) => record.time)).toEqual(times);
    expect(consumer.records.every((record) => record.headers === undefined)).toBe(true);
  });
});

describe('the group', () => {
  test('three members that come and go under load: nothing lost, repeated or overlapping, in order of each key', async () => {
    const topic = topicSpec();
    const group = unique('g');
    let count = 0;
    const events = new Events();
    const handled: { key: string; id: number; by: string }[] = [];
    const active = new Map<string, string>();
    const overlaps: string[] = [];
    const handle =
      (by: string) =>
      async (record: IncomingRecord, consumer: FakeConsumer): Promise<void> => {
        const key = String(record.key);
        if (active.has(key)) overlaps.push(key);
        active.set(key, by);
        await new Promise((resolve) => setTimeout(resolve, 5));
        active.delete(key);
        handled.push({ key, id: Number(record.id), by });
        consumer.settle(record);
      };
    const join = (by: string, on: Adapter<KafkaNative>): Promise<FakeConsumer> =>
      new FakeConsumer(handle(by), events).open(on, { topic, group }, 100);
    const first = await join('a', adapter);
    const sendMore = async (): Promise<void> => {
      const records = Array.from({ length: 250 }, () => {
        count += 1;
        return outgoing(topic, { id: `${count}`, key: `k${count % 40}` });
      });
      await sendAll(topic, records);
    };
    /** Keeps a backlog until `done`. */
    const underLoad = async (done: () => boolean, what: string): Promise<void> => {
      while (!done()) {
        await sendMore();
        await events.until(() => done() || handled.length > count - 200, what);
      }
    };
    const handledBy = (by: string): number => handled.filter((each) => each.by === by).length;
    await underLoad(() => handledBy('a') > 200, 'the first at work');
    const joining = join('b', await anotherAdapter());
    await underLoad(() => handledBy('b') > 200, 'the second at work');
    const second = await joining;
    const third = await join('c', await anotherAdapter());
    await underLoad(() => handledBy('c') > 200, 'the third at work');
    const leaving = first.close();
    const before = handled.length;
    await underLoad(() => handled.length > before + 500, 'two at work');
    await leaving;
    await events.until(() => handled.length >= count, 'all handled');
    await second.close();
    await third.close();
    expect(handled.length).toBe(count);
    expect(new Set(handled.map(({ id }) => id)).size).toBe(count);
    expect(overlaps).toEqual([]);
    const last = new Map<string, number>();
    for (const { key, id } of handled) {
      expect(id).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, id);
    }
    expect([...first.failures, ...second.failures, ...third.failures]).toEqual([]);
  });

  test('a member that waits gets everything at once when the other leaves, in order, with nothing that was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await sendAll(topic, numbered(topic, 50, 1));
    const settled = new Set<string>();
    const first = await new FakeConsumer((record, consumer) => {
      if (Number(record.id) % 2 === 1) return;
      settled.add(record.id);
      consumer.settle(record);
    }).open(adapter, { topic, group });
    await first.events.until(() => first.records.length === 50, 'all delivered');
    const second = await consuming(topic, group, {}, await anotherAdapter());
    // The hand-over happened with the join: the odd ones are the next owner's, whoever that is.
    const before = first.records.length;
    const closed = Date.now();
    await first.close();
    const rest = (): string[] => [...ids(first.records.slice(50)), ...ids(second.records)];
    await second.events.until(() => new Set([...ids(second.records), ...[...settled]]).size === 50, 'the rest');
    expect(Date.now() - closed).toBeLessThan(5_000);
    expect(rest().filter((id) => settled.has(id))).toEqual([]);
    expect(ids(second.records)).toEqual([...ids(second.records)].sort(byNumber));
    expect(second.records.every((record) => record.redelivered)).toBe(true);
    expect(before).toBeGreaterThanOrEqual(50);
  });

  test('what is finished out of order stays finished, attempts survive a close', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await sendAll(topic, numbered(topic, 100, 10));
    const first = await new FakeConsumer((record, consumer) => {
      if (Number(record.id) % 10 === 3) consumer.receiver?.hold(record, 2);
      else consumer.settle(record);
    }).open(adapter, { topic, group });
    await first.events.until(() => first.records.length === 100, 'all delivered');
    expect(await first.receiver?.lag()).toBe(10);
    await first.close();
    const second = await consuming(topic, group);
    await second.events.until(() => second.records.length >= 10, 'the held ones');
    expect(ids(second.records).sort(byNumber)).toEqual(Array.from({ length: 10 }, (_, i) => String(i * 10 + 3)));
    expect(second.records.every(({ attempts, redelivered }) => attempts === 2 && redelivered)).toBe(true);
    expect(await second.receiver?.lag()).toBe(0);
  });

  test('a crash: another member takes over, with the attempts, without what was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await sendAll(topic, numbered(topic, 100, 10));
    const script = fileURLToPath(new URL('./support/crash.js', import.meta.url));
    const crashing = spawn(process.execPath, [script, namespace, topic.name, group, '100'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    open.push(async () => crashing.kill('SIGKILL'));
    await once(crashing.stdout, 'data');
    const { admin } = adapter.native;
    const id = `${namespace}.${group}:${topic.name}`;
    const noted = async (): Promise<boolean> => {
      const [offsets] = await admin.fetchOffsets({ groupId: id, topics: [nameOf(topic)] });
      const ends = await admin.fetchTopicOffsets(nameOf(topic));
      const behind = ends.filter(
        ({ partition, high }) => offsets?.partitions.find((p) => p.partition === partition)?.offset !== high,
      );
      return behind.length === 1;
    };
    await eventually(noted, 'the positions are stored');
    crashing.kill('SIGKILL');
    const second = await consuming(topic, group);
    await second.events.until(() => second.records.length >= 10, 'the held ones');
    expect(new Set(second.records.map((record) => record.key))).toEqual(new Set(['k3']));
    expect(second.records.every((record) => record.attempts === 1 && record.redelivered)).toBe(true);
  });

  test('latest is exact: what is sent after the join is delivered, what was sent before is not', async () => {
    for (let round = 0; round < 12; round++) {
      const topic = topicSpec();
      const group = unique('g');
      await sendAll(topic, numbered(topic, 16, 16));
      const events = new Events();
      const others = await Promise.all([
        consuming(topic, group, { startFrom: 'latest' }, adapter, events),
        consuming(topic, group, { startFrom: 'latest' }, adapter, events),
      ]);
      await sendAll(
        topic,
        Array.from({ length: 16 }, (_, i) => outgoing(topic, { id: `new-${i}`, key: `k${i}` })),
      );
      const all = (): string[] => others.flatMap((consumer) => ids(consumer.records));
      await events.until(() => all().length >= 16, `round ${round}`);
      expect(all().sort()).toEqual(Array.from({ length: 16 }, (_, i) => `new-${i}`).sort());
      await Promise.all(others.map((consumer) => consumer.close()));
    }
  }, 60_000);

  test('a position is kept from the join on, even when nothing was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await sendAll(topic, numbered(topic, 5, 5));
    await (await consuming(topic, group, { startFrom: 'latest' })).close();
    await sendAll(topic, [outgoing(topic, { id: 'between' })]);
    const second = await consuming(topic, group, { startFrom: 'latest' });
    await second.events.until(() => second.records.length > 0, 'what came between');
    expect(ids(second.records)).toEqual(['between']);
  });

  test('members that disagree: the later is refused, naming both', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await consuming(topic, group, { charter: 'a=1' });
    await expect(consuming(topic, group, { charter: 'a=2' })).rejects.toThrow(/'a=1'.*'a=2'/);
  });

  test('founders that disagree: exactly one is refused', async () => {
    for (let round = 0; round < 8; round++) {
      const topic = topicSpec();
      await (await adapter.openSender(topic)).close();
      const group = unique('g');
      const outcomes = await Promise.allSettled([
        consuming(topic, group, { charter: 'a=1' }),
        consuming(topic, group, { charter: 'a=2' }),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
  });

  test('a plain consumer cannot slip into the group', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await consuming(topic, group);
    const stranger = plain.consumer({ groupId: `${namespace}.${group}:${topic.name}`, retry: { retries: 0 } });
    await stranger.connect();
    await stranger.subscribe({ topic: nameOf(topic) });
    const crash = new Promise<string>((resolve) =>
      stranger.on('consumer.crash', ({ payload }) => resolve(payload.error.message)),
    );
    void stranger.run({ eachMessage: async () => {} });
    expect(await crash).toMatch(/protocol/i);
    await stranger.disconnect();
  });
});

describe('the log', () => {
  test('a topic that grows is sent to and received in full', async () => {
    const topic = topicSpec();
    const few = await anotherAdapter({ partitions: 1 });
    const sender = await few.openSender(topic);
    expect(sender.laneOf(outgoing(topic))).toBe(0);
    const group = unique('g');
    await (await consuming(topic, group, { startFrom: 'latest' })).close();
    await adapter.native.admin.createPartitions({ topicPartitions: [{ topic: nameOf(topic), count: 4 }] });
    await eventually(
      async () => (await send(adapter, topic, numbered(topic, 40, 40))).every(({ status }) => status === 'stored'),
      'the new partitions have leaders',
    );
    const consumer = await consuming(topic, group, { startFrom: 'latest' });
    await consumer.events.until(() => new Set(ids(consumer.records)).size === 40, 'all 40');
    expect(new Set(consumer.records.map(({ position }) => position.split(':')[0])).size).toBe(4);
  });

  test('a write to a partition that does not exist is not stored, and says so', async () => {
    const topic = topicSpec();
    const sender = await adapter.openSender(topic);
    const [result] = await sender.write(99, [outgoing(topic)]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && adapter.classify(result.error)).toEqual({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    const [after] = await sender.write(0, [outgoing(topic)]);
    expect(after?.status).toBe('stored');
  });

  test('a topic that was deleted: sends and receivers say so', async () => {
    const topic = topicSpec();
    const sender = await adapter.openSender(topic);
    const consumer = await consuming(topic, unique('g'));
    await adapter.native.admin.deleteTopics({ topics: [nameOf(topic)] });
    await consumer.events.until(() => consumer.failures.length > 0, 'the receiver failed');
    expect(adapter.classify(consumer.failures[0])).toEqual({ code: 'NOT_FOUND', retryable: false });
    const [result] = await sender.write(0, [outgoing(topic)]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && adapter.classify(result.error)).toEqual({
      code: 'NOT_FOUND',
      retryable: false,
    });
  });

  test('too large for the broker: not stored, and the connection goes on', async () => {
    const topic = topicSpec();
    const sender = await adapter.openSender(topic);
    const [result] = await sender.write(0, [outgoing(topic, { body: Buffer.alloc(2_000_000) })]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && adapter.classify(result.error).code).toBe('TOO_LARGE');
    const largest = {
      id: 'i'.repeat(128),
      key: 'k'.repeat(256),
      body: Buffer.alloc(1_000_000),
      headers: { h: 'h'.repeat(16_000) },
    };
    const [after] = await sender.write(0, [outgoing(topic, largest)]);
    expect(after?.status).toBe('stored');
  });

  test('what a transaction aborted is not delivered, and leaves no lag', async () => {
    const topic = topicSpec();
    await sendAll(topic, [outgoing(topic, { id: 'before' })]);
    const lane = (await adapter.openSender(topic)).laneOf(outgoing(topic));
    const producer = plain.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = async (id: string, end: 'commit' | 'abort'): Promise<void> => {
      const tx = await producer.transaction();
      await tx.send({ topic: nameOf(topic), messages: [{ partition: lane, value: 'v', headers: { 'anymq-id': id } }] });
      await tx[end]();
    };
    await transaction('committed', 'commit');
    await transaction('aborted', 'abort');
    await producer.disconnect();
    const consumer = await consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length >= 2, 'the two that count');
    await eventually(async () => (await consumer.receiver?.lag()) === 0, 'no lag');
    expect(ids(consumer.records)).toEqual(['before', 'committed']);
  });

  test('what retention took is passed over', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await (await consuming(topic, group)).close();
    await sendAll(topic, numbered(topic, 10, 1));
    const lane = (await adapter.openSender(topic)).laneOf(outgoing(topic, { key: 'k0' }));
    await adapter.native.admin.fetchTopicMetadata({ topics: [nameOf(topic)] });
    await adapter.native.admin.deleteTopicRecords({
      topic: nameOf(topic),
      partitions: [{ partition: lane, offset: '6' }],
    });
    const consumer = await consuming(topic, group);
    await consumer.events.until(() => consumer.records.length >= 4, 'what is left');
    expect(ids(consumer.records)).toEqual(['6', '7', '8', '9']);
  });
});

describe('credit', () => {
  test('no more is delivered than there is credit, and no less', async () => {
    const topic = topicSpec();
    await sendAll(topic, numbered(topic, 500, 50));
    const waiting: IncomingRecord[] = [];
    const consumer = new FakeConsumer(() => {});
    const receiver = await adapter.openReceiver(
      { topic, group: unique('g'), startFrom: 'earliest', maxInFlight: 100, charter: '' },
      { own: (name) => consumer.own(name), failed: () => {}, deliver: (records) => waiting.push(...records) },
    );
    open.push(() => receiver.close());
    receiver.credit(100);
    await eventually(async () => waiting.length >= 100, 'the first hundred');
    await adapter.health();
    expect(waiting.length).toBe(100);
    receiver.credit(50);
    await eventually(async () => waiting.length >= 150, 'fifty more');
    expect(waiting.length).toBe(150);
    receiver.settle(waiting);
    receiver.credit(350);
    await eventually(async () => waiting.length >= 500, 'the rest');
    expect(new Set(ids(waiting)).size).toBe(500);
  });
});

test('the plain client and a connected admin are at hand', async () => {
  const { brokers } = await adapter.native.admin.describeCluster();
  expect(brokers.length).toBeGreaterThan(0);
  expect(await adapter.health()).toEqual({ ready: true, latencyMs: expect.any(Number) });
});
