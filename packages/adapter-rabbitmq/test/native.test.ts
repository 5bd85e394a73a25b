import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { IncomingRecord } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { sever } from '../src/client.js';
import { bucketOf } from '../src/codec.js';
import { rabbitmq } from '../src/index.js';
import { plainClient, removeTopic } from './support/broker.js';
import { TestConsumer, verdict } from './support/consumer.js';
import { record, testRuntime, topicSpec, URL, uniqueNamespace, until } from './support/runtime.js';
import { connected, groupSpec, numbered, sendAll, type TestAdapter } from './support/setup.js';

const namespace = uniqueNamespace();
const adapters: TestAdapter[] = [];
const topics: [string, string[]][] = [];

const adapter = async (options = {}): Promise<TestAdapter> => {
  const made = await connected(namespace, options);
  adapters.push(made);
  return made;
};

const topicFor = (name: string, changes = {}): ReturnType<typeof topicSpec> => {
  topics.push([name, ['g', 'h']]);
  return topicSpec(name, changes);
};

afterEach(async () => {
  await Promise.all(adapters.splice(0).map((each) => each.close()));
  for (const [topic, groups] of topics.splice(0)) await removeTopic(namespace, topic, groups);
});

describe('golden vectors', () => {
  test('a plain client reads ours, field by field', async () => {
    const topic = topicFor('out');
    const sender = await (await adapter()).openSender(topic);
    const client = await plainClient();
    const { queue } = await client.channel.assertQueue('', { exclusive: true });
    for (let bucket = 0; bucket < 16; bucket += 1)
      await client.channel.bindQueue(queue, `${namespace}.out`, String(bucket));
    const got: ConsumeMessage[] = [];
    await client.channel.consume(queue, (message) => void (message && got.push(message)), { noAck: true });
    const headers = { trace: 'żółć\u0000', CC: 'not a route' };
    await sendAll(sender, [record('id-1', 'session-1', '{"a":1}', { type: 'out', headers })]);
    await until(() => got.length === 1, 'the message');
    const { fields, properties, content } = got[0] as ConsumeMessage;
    expect(fields).toMatchObject({ exchange: `${namespace}.out`, routingKey: String(bucketOf('session-1', 16)) });
    expect(content.toString()).toBe('{"a":1}');
    expect(JSON.parse(JSON.stringify(properties))).toEqual({
      messageId: 'id-1',
      timestamp: 1_763_900_000_123,
      contentType: 'application/json',
      type: 'out',
      deliveryMode: 2,
      headers: { trace: 'żółć\u0000', 'anymq-h-CC': 'not a route', 'anymq-key': 'session-1' },
    });
    await client.close();
  });

  test('a plain client reads the history, from the stream', async () => {
    const topic = topicFor('stream');
    const sender = await (await adapter()).openSender(topic);
    await sendAll(sender, numbered('m', 20, 4));
    const client = await plainClient();
    await client.channel.prefetch(50);
    const ids: string[] = [];
    const arguments_ = { 'x-stream-offset': 'first' };
    const onMessage = (message: ConsumeMessage | null): void => void ids.push(message?.properties.messageId);
    await client.channel.consume(`${namespace}.stream:history`, onMessage, { arguments: arguments_ });
    await until(() => ids.length === 20, 'all');
    expect(ids).toEqual(numbered('m', 20, 4).map(({ id }) => id));
    await client.close();
  });

  test('what a plain client publishes is delivered, whatever its routing key, live and from history', async () => {
    const topic = topicFor('in');
    const home = await adapter();
    const live = await new TestConsumer().start(home, groupSpec(topic, 'g'));
    const client = await plainClient();
    const entry = `${namespace}.in`;
    client.channel.publish(entry, 'orders.eu', Buffer.from('bare'));
    client.channel.publish(entry, '7', Buffer.from('rich'), {
      messageId: 'native-1',
      timestamp: 1_763_900_000,
      type: 'order',
      contentType: 'text/plain',
      headers: { 'anymq-key': 'k', count: 3, flag: true, 'x-own': 'y' },
    });
    client.channel.publish(entry, '3', Buffer.from('event'), {
      headers: {
        'cloudEvents:id': 'ce-1',
        'cloudEvents:type': 'ce',
        'cloudEvents:partitionkey': 'pk',
        'cloudEvents:time': '2026-01-01T00:00:00Z',
      },
    });
    await until(() => live.handled.length === 3, 'live');
    const late = await new TestConsumer().start(home, groupSpec(topic, 'h'));
    await until(() => late.handled.length === 3, 'from history');
    for (const { handled } of [live, late]) {
      const byBody = new Map(handled.map(({ record: each }) => [Buffer.from(each.body).toString(), each]));
      const bare = byBody.get('bare') as IncomingRecord;
      expect(bare).toMatchObject({
        key: undefined,
        headers: undefined,
        type: undefined,
        contentType: undefined,
        attempts: 0,
      });
      expect(bare.id).toMatch(/#/);
      expect(Math.abs(bare.time - Date.now())).toBeLessThan(60_000);
      expect(byBody.get('rich')).toMatchObject({
        id: 'native-1',
        key: 'k',
        time: 1_763_900_000_000,
        type: 'order',
        contentType: 'text/plain',
        headers: { count: '3', flag: 'true', 'x-own': 'y' },
      });
      const time = Date.parse('2026-01-01');
      expect(byBody.get('event')).toMatchObject({ id: 'ce-1', key: 'pk', type: 'ce', time, headers: undefined });
    }
    await Promise.all([live.stop(), late.stop()]);
    await client.close();
  });

  test('everything of a message is exact, live and from history', async () => {
    const topic = topicFor('exact', { envelope: 'lean' });
    const home = await adapter();
    const live = await new TestConsumer().start(home, groupSpec(topic, 'g'));
    const headers = {
      CC: 'c',
      BCC: 'b',
      'x-death': 'd',
      'x-delivery-count': 'n',
      'x-stream-offset': 'o',
      empty: '',
      text: '\u0000\r\n😀ż',
    };
    const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const sent = [
      record('!"#$%&~', 'klucz\u0000ż😀', '', { body, headers }),
      record('empty', 'k', '', { headers: undefined, time: 0, type: 'a/b', contentType: 'text/plain' }),
      record('large', 'k', '', { body: Buffer.alloc(3_000_000, 7) }),
    ];
    await sendAll(await home.openSender(topic), sent);
    await until(() => live.handled.length === 3, 'live');
    const late = await new TestConsumer().start(home, groupSpec(topic, 'h'));
    await until(() => late.handled.length === 3, 'from history');
    for (const { handled } of [live, late]) {
      for (const { body: bytes, ...rest } of sent) {
        const got = handled.find(({ id }) => id === rest.id)?.record as IncomingRecord;
        expect(got).toMatchObject(rest);
        expect(Buffer.compare(got.body, bytes)).toBe(0);
      }
    }
    await Promise.all([live.stop(), late.stop()]);
  });
});

describe('topics', () => {
  test('without history and without a group refuse a message, and take it once there is a group', async () => {
    const topic = topicFor('lean', { history: 'none' });
    const home = await adapter();
    const sender = await home.openSender(topic);
    const [refused] = await sender.write(0, [record('m-0', 'k', 'x')]);
    expect(refused).toMatchObject({ status: 'not-sent', error: { code: 'UNROUTABLE', retryable: false } });
    const consumer = await new TestConsumer().start(home, groupSpec(topic, 'g', { startFrom: 'latest' }));
    await sendAll(sender, numbered('m', 50, 50));
    await until(() => consumer.handled.length === 50, 'all');
    await consumer.stop();
  });

  test('with other settings are a conflict that says which', async () => {
    const topic = topicFor('shape');
    await (await adapter()).openSender(topic);
    await expect((await adapter({ buckets: 8 })).openSender(topic)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/16 buckets, history 'full'.*asked for were 8 buckets, history 'full'/),
    });
    await expect((await adapter()).openSender({ ...topic, history: 'none' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect((await adapter({ historyMaxAgeDays: 3 })).openSender(topic)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('x-max-age'),
    });
  });

  test('that were deleted are declared anew for the next message', async () => {
    const topic = topicFor('gone');
    const sender = await (await adapter()).openSender(topic);
    await removeTopic(namespace, 'gone', []);
    await until(async () => (await sender.write(0, [record('m-1', 'k', 'x')]))[0]?.status === 'stored', 'stored again');
  });
});

describe('attempts', () => {
  test('survive the member that made them, and cost nothing to messages that did not fail', async () => {
    const topic = topicFor('attempts');
    const [first, second] = [await adapter(), await adapter()];
    await sendAll(await first.openSender(topic), numbered('m', 40, 8));
    const fails = ({ id }: IncomingRecord): boolean => id !== 'm-3' && id !== 'm-5';
    const one = await new TestConsumer({ handler: fails }).start(first, groupSpec(topic, 'g'));
    await until(() => one.held.length === 2, 'two failures');
    for (const held of one.held) one.receiver.hold(held, 4);
    await one.stop();
    const two = await new TestConsumer().start(second, groupSpec(topic, 'g'));
    const had = new Set(one.handled.map(({ id }) => id).filter((id) => id !== 'm-3' && id !== 'm-5'));
    await until(() => two.handled.length >= 40 - had.size, 'the rest');
    await until(async () => (await two.receiver.lag()) === 0, 'nothing left');
    await two.stop();
    for (const { id, record: each } of two.handled) {
      expect(each).toMatchObject(id === 'm-3' || id === 'm-5' ? { attempts: 4, redelivered: true } : { attempts: 0 });
      expect(had.has(id)).toBe(false);
    }
    expect(two.handled.map(({ id }) => id)).toEqual(expect.arrayContaining(['m-3', 'm-5']));
  });

  test('are known in order when a member crashes', async () => {
    const topic = topicFor('crash');
    const [first, second] = [await adapter(), await adapter()];
    await sendAll(await first.openSender(topic), numbered('m', 200, 8));
    const one = await new TestConsumer({ member: 'a', handler: ({ id }) => id !== 'm-9' }).start(
      first,
      groupSpec(topic, 'g', { maxInFlight: 20 }),
    );
    await until(() => one.held.length === 1, 'a failure');
    const two = await new TestConsumer({ member: 'b' }).start(second, groupSpec(topic, 'g'));
    sever(first.native.consumeConnection, 'crash');
    await until(
      () => two.handled.some(({ id }) => id === 'm-9') || one.handled.filter(({ id }) => id === 'm-9').length > 1,
      'again',
    );
    const again = [...two.handled, ...one.handled.slice(1)].filter(
      ({ id, record: each }) => id === 'm-9' && each.redelivered,
    );
    expect(again.map(({ record: each }) => each.attempts)).toContain(1);
    await Promise.all([one.stop(), two.stop()]);
  });
});

describe('connections', () => {
  test('that break are made again: everything sent is handled, in order', async () => {
    const topic = topicFor('break');
    const home = await adapter();
    const consumer = await new TestConsumer().start(home, groupSpec(topic, 'g'));
    const sender = await home.openSender(topic);
    const records = numbered('m', 600, 8);
    let breaks = 0;
    for (let from = 0; from < records.length; from += 20) {
      const part = records.slice(from, from + 20);
      if (from % 200 === 100) {
        breaks += 1;
        sever(home.native.consumeConnection, 'cut');
        sever(home.native.publishConnection, 'cut');
      }
      // As core would: everything of a write again until all is stored.
      await until(async () => (await sender.write(0, part)).every(({ status }) => status === 'stored'), 'stored');
      await until(() => home.health().then(({ ready }) => ready), 'ready');
    }
    await until(() => new Set(consumer.handled.map(({ id }) => id)).size === 600, 'all');
    await consumer.stop();
    expect(verdict(consumer.handled)).toMatchObject({ distinct: 600, orderBreaks: 0 });
    expect(consumer.failures).toEqual([]);
    expect(home.runtime.states).toEqual(['up', ...Array(breaks).fill(['down', 'up']).flat()]);
  });

  test.each([
    ['nobody listens', { url: 'amqp://127.0.0.1:1' }, { code: 'UNAVAILABLE', retryable: true }],
    [
      'the password is wrong',
      { url: URL.replace(/\/\/.*@/, '//guest:wr0ng@') },
      { code: 'UNAUTHORISED', retryable: false },
    ],
    ['the virtual host is unknown', { url: URL, vhost: 'nowhere' }, { code: 'UNAUTHORISED', retryable: false }],
  ])('fail clearly when %s', async (_, options, expected) => {
    const broken = rabbitmq(options).create(testRuntime(namespace));
    const failure = await broken.connect(AbortSignal.timeout(5_000)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(broken.classify(failure)).toEqual(expected);
    expect(String(failure)).not.toContain('wr0ng');
    expect(await broken.health()).toMatchObject({ ready: false });
    await broken.close();
  });

  test('are tried at every node', async () => {
    const home = await adapter({ urls: ['amqp://127.0.0.1:1', URL] });
    expect(await home.health()).toMatchObject({ ready: true });
  });

  test('stop trying when told to', async () => {
    // A listener that never answers.
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.resume())).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const mute = rabbitmq({ url: `amqp://127.0.0.1:${port}` }).create(testRuntime(namespace));
    const stop = new AbortController();
    const connecting = mute.connect(stop.signal);
    await until(() => sockets.length === 1, 'connected');
    stop.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await until(() => sockets.every((socket) => socket.destroyed), 'closed');
    server.close();
    await mute.close();
  });
});
