import { randomUUID } from 'node:crypto';
import type { IncomingRecord, TopicSpec } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import type { Consumer, KafkaMessage } from 'kafkajs';
import { eventually, FakeConsumer, outgoing, send, topicSpec, unique } from './support/harness.js';
import { ids, numbered, Setup } from './support/setup.js';

const setup = new Setup();

describe('golden vectors', () => {
  const time = Date.now();

  async function readPlainly(topic: TopicSpec): Promise<KafkaMessage> {
    const consumer: Consumer = setup.plain.consumer({ groupId: unique('plain') });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic: setup.nameOf(topic), fromBeginning: true });
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
    await setup.sendAll(topic, [
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
    await setup.sendAll(topic, [outgoing(topic, { id: 'id-1', time, body: Buffer.from('{}') })]);
    const message = await readPlainly(topic);
    expect(textHeaders(message)).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'id-1',
      ce_source: `/${setup.namespace}/${topic.name}`,
      ce_type: topic.name,
      ce_time: new Date(time).toISOString(),
      ce_partitionkey: 'k',
    });
  });

  test("a plain client's messages are delivered", async () => {
    const topic = topicSpec();
    await (await setup.adapter.openSender(topic)).close();
    const producer = setup.plain.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({
      topic: setup.nameOf(topic),
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
    const consumer = await setup.consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length === 3, 'three messages');
    const [first, second, third] = consumer.records as [IncomingRecord, IncomingRecord, IncomingRecord];
    expect(first).toMatchObject({
      id: `${setup.nameOf(topic)}/0/0`,
      position: '0:0',
      key: 'k',
      headers: { a: 'ü', b: '2' },
      time,
      attempts: 0,
      redelivered: false,
    });
    expect(Buffer.from(first.body)).toEqual(Buffer.from([1, 0, 2]));
    expect(second).toMatchObject({ id: `${setup.nameOf(topic)}/0/1`, key: undefined, headers: undefined, time: 5 });
    expect(second.body.length).toBe(0);
    expect(third).toMatchObject({ id: 'event-1', type: 'x', contentType: 'text/plain', headers: undefined });
  });

  test('a key goes where the plain client sends it', async () => {
    const topic = topicSpec();
    const sender = await setup.adapter.openSender(topic);
    const producer = setup.plain.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    for (const key of ['21', 'foobar', 'ключ', 'k']) {
      const [answer] = await producer.send({ topic: setup.nameOf(topic), messages: [{ key, value: 'v' }] });
      expect(sender.laneOf(outgoing(topic, { key }))).toBe(answer?.partition);
    }
    await producer.disconnect();
  });

  test('a time far from the present survives, and retention does not see it', async () => {
    const topic = topicSpec();
    const times = [0, 1, 946_684_800_000, time, 4_102_444_800_000];
    await setup.sendAll(
      topic,
      times.map((each) => outgoing(topic, { time: each })),
    );
    const consumer = await setup.consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length === times.length, 'all times');
    expect(consumer.records.map((record) => record.time)).toEqual(times);
    expect(consumer.records.every((record) => record.headers === undefined)).toBe(true);
  });
});

describe('the log', () => {
  test('a topic that grows is sent to and received in full', async () => {
    const topic = topicSpec();
    const few = await setup.another({ partitions: 1 });
    const sender = await few.openSender(topic);
    expect(sender.laneOf(outgoing(topic))).toBe(0);
    const group = unique('g');
    await (await setup.consuming(topic, group, { startFrom: 'latest' })).close();
    await setup.adapter.native.admin.createPartitions({ topicPartitions: [{ topic: setup.nameOf(topic), count: 4 }] });
    await eventually(
      async () =>
        (await send(setup.adapter, topic, numbered(topic, 40, 40))).every(({ status }) => status === 'stored'),
      'the new partitions have leaders',
    );
    const consumer = await setup.consuming(topic, group, { startFrom: 'latest' });
    await consumer.events.until(() => new Set(ids(consumer.records)).size === 40, 'all 40');
    expect(new Set(consumer.records.map(({ position }) => position.split(':')[0])).size).toBe(4);
  });

  test('a write to a partition that does not exist is not stored, and says so', async () => {
    const topic = topicSpec();
    const sender = await setup.adapter.openSender(topic);
    const [result] = await sender.write(99, [outgoing(topic)]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && setup.adapter.classify(result.error)).toEqual({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    const [after] = await sender.write(0, [outgoing(topic)]);
    expect(after?.status).toBe('stored');
  });

  test('a topic that was deleted: sends and receivers say so', async () => {
    const topic = topicSpec();
    const sender = await setup.adapter.openSender(topic);
    const consumer = await setup.consuming(topic, unique('g'));
    await setup.adapter.native.admin.deleteTopics({ topics: [setup.nameOf(topic)] });
    await consumer.events.until(() => consumer.failures.length > 0, 'the receiver failed');
    expect(setup.adapter.classify(consumer.failures[0])).toEqual({ code: 'NOT_FOUND', retryable: false });
    const [result] = await sender.write(0, [outgoing(topic)]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && setup.adapter.classify(result.error)).toEqual({
      code: 'NOT_FOUND',
      retryable: false,
    });
  });

  test('too large for the broker: not stored, and the connection goes on', async () => {
    const topic = topicSpec();
    const sender = await setup.adapter.openSender(topic);
    const [result] = await sender.write(0, [outgoing(topic, { body: Buffer.alloc(2_000_000) })]);
    expect(result?.status).toBe('not-sent');
    expect(result?.status === 'not-sent' && setup.adapter.classify(result.error).code).toBe('TOO_LARGE');
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
    await setup.sendAll(topic, [outgoing(topic, { id: 'before' })]);
    const lane = (await setup.adapter.openSender(topic)).laneOf(outgoing(topic));
    const producer = setup.plain.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = async (id: string, end: 'commit' | 'abort'): Promise<void> => {
      const tx = await producer.transaction();
      await tx.send({
        topic: setup.nameOf(topic),
        messages: [{ partition: lane, value: 'v', headers: { 'anymq-id': id } }],
      });
      await tx[end]();
    };
    await transaction('committed', 'commit');
    await transaction('aborted', 'abort');
    await producer.disconnect();
    const consumer = await setup.consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length >= 2, 'the two that count');
    await eventually(async () => (await consumer.receiver?.lag()) === 0, 'no lag');
    expect(ids(consumer.records)).toEqual(['before', 'committed']);
  });

  test('a compression that kafkajs has no codec for: the receiver says which, and how to go on', async () => {
    const topic = topicSpec();
    const configEntries = [{ name: 'compression.type', value: 'lz4' }];
    await setup.adapter.native.admin.createTopics({
      topics: [{ topic: setup.nameOf(topic), numPartitions: 1, configEntries }],
    });
    await setup.sendAll(topic, [outgoing(topic)]);
    const consumer = await setup.consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.failures.length > 0, 'the receiver failed');
    expect(setup.adapter.classify(consumer.failures[0])).toEqual({ code: 'UNSUPPORTED', retryable: false });
    expect(String(consumer.failures[0])).toMatch(/LZ4.*CompressionCodecs/);
  });

  test('gzip is written and read, by plain clients too', async () => {
    const topic = topicSpec();
    const zipping = await setup.another({ compression: 'gzip' });
    const results = await send(zipping, topic, numbered(topic, 100, 1));
    expect(results.every(({ status }) => status === 'stored')).toBe(true);
    const consumer = await setup.consuming(topic, unique('g'));
    await consumer.events.until(() => consumer.records.length === 100, 'all');
    expect(ids(consumer.records)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  test('what retention took is passed over', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await (await setup.consuming(topic, group)).close();
    await setup.sendAll(topic, numbered(topic, 10, 1));
    const lane = (await setup.adapter.openSender(topic)).laneOf(outgoing(topic, { key: 'k0' }));
    await setup.adapter.native.admin.fetchTopicMetadata({ topics: [setup.nameOf(topic)] });
    await setup.adapter.native.admin.deleteTopicRecords({
      topic: setup.nameOf(topic),
      partitions: [{ partition: lane, offset: '6' }],
    });
    const consumer = await setup.consuming(topic, group);
    await consumer.events.until(() => consumer.records.length >= 4, 'what is left');
    expect(ids(consumer.records)).toEqual(['6', '7', '8', '9']);
  });
});

describe('credit', () => {
  test('no more is delivered than there is credit, and no less', async () => {
    const topic = topicSpec();
    await setup.sendAll(topic, numbered(topic, 500, 50));
    const waiting: IncomingRecord[] = [];
    const consumer = new FakeConsumer(() => {});
    const receiver = await setup.adapter.openReceiver(
      { topic, group: unique('g'), startFrom: 'earliest', maxInFlight: 100, maxInFlightBytes: 1e9, charter: '' },
      { own: (name) => consumer.own(name), failed: () => {}, deliver: (records) => waiting.push(...records) },
    );
    setup.open.push(() => receiver.close());
    receiver.credit(100, Number.POSITIVE_INFINITY);
    await eventually(async () => waiting.length >= 100, 'the first hundred');
    await setup.adapter.health();
    expect(waiting.length).toBe(100);
    receiver.credit(50, Number.POSITIVE_INFINITY);
    await eventually(async () => waiting.length >= 150, 'fifty more');
    expect(waiting.length).toBe(150);
    receiver.settle(waiting);
    receiver.credit(350, Number.POSITIVE_INFINITY);
    await eventually(async () => waiting.length >= 500, 'the rest');
    expect(new Set(ids(waiting)).size).toBe(500);
  });
});

test('the plain client and a connected admin are at hand', async () => {
  const { brokers } = await setup.adapter.native.admin.describeCluster();
  expect(brokers.length).toBeGreaterThan(0);
  expect(await setup.adapter.health()).toEqual({ ready: true, latencyMs: expect.any(Number) });
});
