import type { NativePeer } from '@anymq/contract-kit';
import type { Adapter } from '@anymq/core/adapter';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RocketmqOptions, rocketmq } from '../src/index.js';
import { ownCheckpoint } from '../src/internal/calls.js';
import { topicName } from '../src/names.js';
import { groupSpec, Member, sendAll } from './support/member.js';
import { nativePeer, readPlainly } from './support/native-peer.js';
import { record, type TestRuntime, testRuntime, topicSpec, uniqueNamespace, until } from './support/runtime.js';
import { sharedBroker } from './support/target.js';

// Closing a receiver waits for its polls, up to 5 s.
jest.setTimeout(60_000);

const namespace = uniqueNamespace();
const open: { close(): Promise<void> }[] = [];
let broker: RocketmqOptions;

beforeAll(async () => {
  broker = await sharedBroker();
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function connected(options: Partial<RocketmqOptions> = {}): Promise<{ adapter: Adapter; runtime: TestRuntime }> {
  const runtime = testRuntime(namespace);
  const adapter = rocketmq({ ...broker, ...options }).create(runtime);
  await adapter.connect(new AbortController().signal);
  open.push(adapter);
  return { adapter, runtime };
}

const peer = async (): Promise<NativePeer> => {
  const made = await nativePeer(broker, namespace);
  open.push(made);
  return made;
};

/** Without those that the broker adds. */
const ownProperties = (properties: ReadonlyMap<string, string> = new Map()) =>
  Object.fromEntries([...properties].filter(([name]) => !name.startsWith('__')));

const numbered = (count: number, keys: number) =>
  Array.from({ length: count }, (_, n) => record(`m-${n}`, keys === 0 ? undefined : `k${n % keys}`, String(n)));

describe('golden vectors', () => {
  test('a plain client reads ours, field by field', async () => {
    const { adapter } = await connected();
    const sender = await adapter.openSender(topicSpec('out'));
    const headers = { trace: 'żółć', lines: 'a\nb', KEYS: 'not a key' };
    await sendAll(sender, [record('id-1', 'session-1', '{"a":1}', { type: 'out', headers })]);
    await sendAll(sender, [record('id-2', 'ключ', '', { type: 'other', contentType: 'text/plain' })]);
    const views = await readPlainly(broker, topicName(namespace, 'out'), 2);
    const [first, second] = views.toSorted((a, b) => (String(a.keys) < String(b.keys) ? -1 : 1));
    expect(first?.body.toString()).toBe('{"a":1}');
    expect(first).toMatchObject({ keys: ['id-1'], messageGroup: 'session-1', tag: '' });
    expect(first?.bornTimestamp?.getTime()).toBe(1_763_900_000_123);
    expect(ownProperties(first?.properties)).toEqual({
      'anymq-id': 'id-1',
      trace: 'żółć',
      'anymq-e-lines': 'a%0Ab',
      'anymq-h-KEYS': 'not a key',
    });
    expect(second?.messageGroup).toMatch(/^h-[\w-]{43}$/);
    expect(ownProperties(second?.properties)).toEqual({
      'anymq-id': 'id-2',
      'anymq-key': 'ключ',
      'anymq-type': 'other',
      'content-type': 'text/plain',
      'anymq-empty': '1',
    });
  });

  test('what a plain client sends is delivered: id of the broker, key of its message group, its properties', async () => {
    const { adapter } = await connected();
    await adapter.openSender(topicSpec('in'));
    const began = Date.now();
    await (await peer()).send('in', { body: Buffer.from('hello'), key: 'g-1', headers: { trace: '100%25', n: '3' } });
    const member = await Member.join(adapter, groupSpec(topicSpec('in'), 'g'));
    await until(() => member.records.length === 1, 'the message');
    const [got] = member.records;
    expect(got).toMatchObject({ key: 'g-1', headers: { trace: '100%25', n: '3' }, type: undefined, attempts: 0 });
    expect(Buffer.from(got?.body ?? []).toString()).toBe('hello');
    expect(got?.id).toMatch(/^[0-9A-F]{34}$/);
    expect(Math.abs((got?.time ?? 0) - began)).toBeLessThan(60_000);
    member.settle();
    await member.receiver.close();
  });
});

describe('locked queues', () => {
  test('behind a message that is held the other keys of its queue go on, in order', async () => {
    const { adapter } = await connected({ queues: 1 });
    const topic = topicSpec('locked');
    const member = await Member.join(adapter, groupSpec(topic, 'g'));
    await sendAll(await adapter.openSender(topic), numbered(30, 10));
    await until(() => member.records.length === 30, 'all 30, though nothing is settled');
    expect(member.ids).toEqual(numbered(30, 10).map(({ id }) => id));
    expect(member.lost).toEqual([]);
    member.settle();
    await member.receiver.close();
  });

  test('what was settled behind something unsettled does not come again, to no member', async () => {
    const { adapter, runtime } = await connected({ queues: 1 });
    const topic = topicSpec('above');
    await sendAll(await adapter.openSender(topic), numbered(12, 6));
    const first = await Member.join(adapter, groupSpec(topic, 'g'));
    await until(() => first.records.length === 12, 'all');
    first.receiver.hold(first.records[0] as never, 2);
    first.settle(({ id }) => id !== 'm-0' && id !== 'm-5');
    const second = await Member.join(adapter, groupSpec(topic, 'g'));
    await first.receiver.close();
    await until(() => second.records.length >= 2, 'the two');
    expect(second.records.map(({ id, attempts, redelivered }) => [id, attempts, redelivered])).toEqual([
      ['m-0', 2, true],
      ['m-5', 0, true],
    ]);
    second.settle();
    await second.receiver.close();
    const third = await Member.join(adapter, groupSpec(topic, 'g'));
    await sendAll(await adapter.openSender(topic), [record('last', 'k0', '')]);
    await until(() => third.records.length > 0, 'the last');
    expect(third.ids).toEqual(['last']);
    third.settle();
    await third.receiver.close();
    expect(runtime.warnings).toEqual([]);
  });

  // The broker says of a whole answer that it comes for the first time when one message of it does.
  test('nor does it come again together with something new, to a member that is there already', async () => {
    const { adapter, runtime } = await connected({ queues: 1 });
    const topic = topicSpec('mixed');
    const sender = await adapter.openSender(topic);
    await sendAll(sender, numbered(12, 6));
    const first = await Member.join(adapter, groupSpec(topic, 'g', 12));
    await until(() => first.records.length === 12, 'all');
    const second = await Member.join(adapter, groupSpec(topic, 'g'));
    await sendAll(sender, [record('new-0', 'k0', ''), record('new-1', 'k1', '')]);
    first.receiver.hold(first.records[0] as never, 2);
    first.settle(({ id }) => id !== 'm-0' && id !== 'm-5');
    await first.receiver.close();
    await until(() => second.records.length >= 4, 'the two, and the new ones');
    expect(second.records.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['m-0', 2],
      ['m-5', 0],
      ['new-0', 0],
      ['new-1', 0],
    ]);
    second.settle();
    await second.receiver.close();
    expect(runtime.warnings).toEqual([]);
  });
});

test('a batch that is done is over: core keeps nothing of it', async () => {
  const { adapter } = await connected();
  const topic = topicSpec('over');
  const member = await Member.join(adapter, groupSpec(topic, 'g'));
  open.push(member.receiver);
  await sendAll(await adapter.openSender(topic), numbered(3, 1));
  await until(() => member.records.length === 3, 'all three');
  const batches = new Set(member.records.map(({ source }) => source.name));
  expect(member.over).toEqual([]);
  member.settle();
  await until(() => member.over.length === batches.size, 'the end of their batches');
  expect([new Set(member.over), member.lost]).toEqual([batches, []]);
});

describe('leases', () => {
  test('a handle of a changed lease gets the checkpoint of its own message', () => {
    expect(ownCheckpoint('0 17 10000 7 0 broker-a 0 9 0 2005')).toBe('9 17 10000 7 0 broker-a 0 9 0 2005');
    expect(ownCheckpoint('something else')).toBe('something else');
  });

  test('are renewed until settled: a whole batch of a topic without key comes once', async () => {
    const { adapter } = await connected({ leaseMs: 10_000 });
    const topic = topicSpec('leased', { keyed: false });
    await sendAll(await adapter.openSender(topic), numbered(20, 0));
    const member = await Member.join(adapter, groupSpec(topic, 'g'));
    await until(() => member.records.length === 20, 'all');
    // Two renewals, and time for what they have not renewed to come again.
    await new Promise((resolve) => setTimeout(resolve, 24_000));
    expect(new Set(member.ids).size).toBe(member.ids.length);
    member.settle();
    await member.receiver.close();
    expect(member.lost).toEqual([]);
  });
});

test('a proxy that is not there is named, without credentials', async () => {
  const secret = 's3cret-value';
  const options = { endpoints: '127.0.0.1:1', accessKey: 'somebody', secretKey: secret };
  const adapter = rocketmq(options).create(testRuntime(namespace));
  const error = await adapter.connect(new AbortController().signal).catch((reason: unknown) => reason);
  expect(adapter.classify(error)).toEqual({ code: 'UNAVAILABLE', retryable: true });
  expect(String(error)).toContain('127.0.0.1:1');
  expect(String(error)).not.toContain(secret);
  expect(await adapter.health()).toMatchObject({ ready: false });
  await adapter.close();
});
