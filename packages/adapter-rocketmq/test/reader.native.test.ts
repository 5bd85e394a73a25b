import { type PrivateBroker, startPrivate } from '@anymq/brokers';
import { type Adapter, type ReadRecord, sleep, type TopicSpec } from '@anymq/core/adapter';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RocketmqOptions, rocketmq } from '../src/index.js';
import { groupSpec, Member, sendAll } from './support/member.js';
import { record, testRuntime, topicSpec, uniqueNamespace, until } from './support/runtime.js';

jest.setTimeout(120_000);

const USER = { username: 'reader', password: 'reader-secret' };
const namespace = uniqueNamespace();
const open: { close(): Promise<void> }[] = [];
let broker: PrivateBroker;

beforeAll(async () => {
  broker = await startPrivate('rocketmq', { minPollMs: 1_000, credentials: USER });
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

afterAll(() => broker?.close());

async function connected(options: Partial<RocketmqOptions> = {}): Promise<Adapter> {
  const keys = { accessKey: USER.username, secretKey: USER.password };
  const connection = { ...(broker.connection as unknown as RocketmqOptions), ...keys };
  const runtime = testRuntime(namespace);
  const adapter = rocketmq({ ...connection, pollMs: 1_000, ...options }).create(runtime);
  const connect = () => adapter.connect(AbortSignal.timeout(20_000));
  const backoff = runtime.backoff();
  // As core does: gRPC does not dial at once where it has just failed.
  for (let tries = 1; !(await connect().then(() => true, tries < 20 ? () => false : undefined)); tries++) {
    await sleep(runtime.clock, backoff.next());
  }
  open.push(adapter);
  return adapter;
}

async function reading(adapter: Adapter, topic: TopicSpec, from: 'earliest' | 'latest') {
  const records: ReadRecord[] = [];
  const failures: unknown[] = [];
  const reader = await adapter.openReader(topic, from, {
    read: async (batch) => void records.push(...batch),
    failed: (error) => void failures.push(error),
  });
  open.push(reader);
  return { records, failures, reader };
}

const idsOf = (records: readonly { id: string }[]): string[] => records.map(({ id }) => id);
const numbered = (prefix: string, count: number, keys: number) =>
  Array.from({ length: count }, (_, n) => record(`${prefix}-${n}`, keys === 0 ? undefined : `k${n % keys}`, String(n)));
const send = async (adapter: Adapter, topic: TopicSpec, records: ReturnType<typeof numbered>): Promise<void> =>
  sendAll(await adapter.openSender(topic), records);

describe('a topic of one lane', () => {
  const topic = topicSpec('lane', { oneLane: true });

  test('has one order over all keys, for readers and for groups', async () => {
    const adapter = await connected({ queues: 4 });
    const records = numbered('m', 300, 20);
    await send(adapter, topic, records);
    const { records: seen } = await reading(adapter, topic, 'earliest');
    const member = await Member.join(adapter, groupSpec(topic, 'g', 10));
    const settled = new Set<string>();
    await until(() => {
      const fresh = member.records.filter(({ id }) => !settled.has(id));
      for (const { id } of fresh) settled.add(id);
      if (fresh.length > 0) member.receiver.settle(fresh);
      member.receiver.credit(fresh.length, 0);
      return seen.length >= 300 && settled.size >= 300;
    }, 'all, twice');
    expect(idsOf(seen)).toEqual(idsOf(records));
    expect(member.ids).toEqual(idsOf(records));
    await member.receiver.close();
  });

  test('is one member’s at a time', async () => {
    const adapter = await connected();
    const own = topicSpec('lane-two', { oneLane: true });
    await send(adapter, own, numbered('m', 40, 20));
    const members = [
      await Member.join(adapter, groupSpec(own, 'g', 500)),
      await Member.join(adapter, groupSpec(own, 'g', 500)),
    ] as const;
    await until(() => members.some(({ records }) => records.length >= 32), 'what one may hold');
    await send(adapter, own, numbered('more', 5, 5));
    const [holder, other] = members[0].records.length > 0 ? members : [members[1], members[0]];
    expect(other.records).toEqual([]);
    await holder.receiver.close();
    await until(() => other.records.length >= 32, 'them, at the other one');
    other.settle();
    await until(() => other.records.length === 45, 'the rest');
    expect(other.ids).toEqual([...idsOf(numbered('m', 40, 20)), ...idsOf(numbered('more', 5, 5))]);
    other.settle();
    await other.receiver.close();
  });

  test('is not one that has more', async () => {
    const adapter = await connected({ queues: 4 });
    await adapter.openSender(topicSpec('wide'));
    await expect(adapter.openSender(topicSpec('wide', { oneLane: true }))).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

test('a ledger is compacted by key, and read from its beginning and on', async () => {
  const adapter = await connected();
  const topic = topicSpec('ledger', { oneLane: true, retention: 'last-of-key' });
  const { records } = await reading(adapter, topic, 'earliest');
  await send(adapter, topic, numbered('m', 40, 8));
  await until(() => records.length >= 40, 'all');
  expect(idsOf(records)).toEqual(idsOf(numbered('m', 40, 8)));
  const { records: again } = await reading(adapter, topic, 'earliest');
  const { records: fresh } = await reading(adapter, topic, 'latest');
  await send(adapter, topic, numbered('new', 5, 5));
  await until(() => again.length >= 45 && fresh.length >= 5, 'all of it, and what is new');
  expect(idsOf(again)).toEqual(idsOf([...numbered('m', 40, 8), ...numbered('new', 5, 5)]));
  expect(idsOf(fresh)).toEqual(idsOf(numbered('new', 5, 5)));
  await adapter.openSender(topicSpec('no-ledger', { oneLane: true }));
  const asLedger = topicSpec('no-ledger', { oneLane: true, retention: 'last-of-key' });
  await expect(adapter.openReader(asLedger, 'latest', { read: async () => {}, failed() {} })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

describe('a reader', () => {
  test('gives what a receiver gives, on topics of every kind', async () => {
    const adapter = await connected();
    const headers = { trace: 'żółć', lines: 'a\nb', KEYS: 'no key', empty: '' };
    const kinds = [
      topicSpec('keyed'),
      topicSpec('plain', { keyed: false }),
      topicSpec('events', { envelope: 'cloudevents' }),
    ];
    for (const topic of kinds) {
      const key = topic.keyed ? 'ключ' : undefined;
      const body = 'x'.repeat(100_000);
      await send(adapter, topic, [
        record('id-1', key, '', { headers, type: 'other', contentType: 'text/plain' }),
        record('id-2', key, body, { time: -5 }),
      ]);
      const { records } = await reading(adapter, topic, 'earliest');
      const member = await Member.join(adapter, groupSpec(topic, 'g'));
      await until(() => records.length === 2 && member.records.length === 2, 'both, twice');
      for (const got of records) {
        const other = member.records.find(({ id }) => id === got.id);
        const { position, key, headers, time, type, contentType } = other ?? {};
        expect(got).toMatchObject({ position, key, headers, time, type, contentType });
        expect(Buffer.compare(got.body, other?.body ?? Buffer.alloc(0))).toBe(0);
      }
      member.settle();
      await member.receiver.close();
    }
  });

  test('from the end sees all that was sent after it stood, and leaves no group', async () => {
    const adapter = await connected();
    const topic = topicSpec('late');
    await send(adapter, topic, numbered('old', 10, 5));
    const { records, reader } = await reading(adapter, topic, 'latest');
    await send(adapter, topic, numbered('new', 40, 5));
    // More than brokers give together.
    await send(adapter, topic, [record('new-40', 'k0', 'x'.repeat(1_500_000))]);
    await until(() => records.length >= 41, 'the new ones');
    for (let key = 0; key < 5; key++) {
      const wanted = idsOf(numbered('new', 41, 5).filter((each) => each.key === `k${key}`));
      expect(idsOf(records.filter((each) => each.key === `k${key}`))).toEqual(wanted);
    }
    expect(records).toHaveLength(41);
    expect(records.find(({ id }) => id === 'new-40')?.body).toHaveLength(1_500_000);
    await reader.close();
    expect(await adapter.groups('late')).toEqual([]);
  });

  test('of 10,000 records takes less than two seconds', async () => {
    const adapter = await connected({ concurrentSends: 256 });
    const topic = topicSpec('many', { keyed: false });
    const sender = await adapter.openSender(topic);
    const records = numbered('m', 10_000, 0);
    await Promise.all(
      Array.from({ length: 100 }, async (_, part) => {
        for (const each of records.slice(part * 100, part * 100 + 100)) await sender.write(0, [each]);
      }),
    );
    const began = performance.now();
    const { records: seen } = await reading(adapter, topic, 'earliest');
    await until(() => seen.length >= 10_000, 'all');
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(new Set(idsOf(seen)).size).toBe(10_000);
  });

  test('goes on where it stood when the broker was killed and came back', async () => {
    const adapter = await connected();
    const topic = topicSpec('outage', { oneLane: true });
    await send(adapter, topic, numbered('before', 50, 5));
    const { records, failures } = await reading(adapter, topic, 'earliest');
    await until(() => records.length === 50, 'what is kept');
    await broker.kill();
    await broker.restart();
    const again = await connected();
    await send(again, topic, numbered('after', 50, 5));
    await until(() => records.length >= 100, 'what came after', 60_000);
    expect(idsOf(records)).toEqual([...idsOf(numbered('before', 50, 5)), ...idsOf(numbered('after', 50, 5))]);
    expect(failures).toEqual([]);
  });
});

test('a delayed message comes when it is due, and not before', async () => {
  const adapter = await connected();
  const topic = topicSpec('delayed', { keyed: false, delayed: true });
  const member = await Member.join(adapter, groupSpec(topic, 'g'));
  const sender = await adapter.openSender(topic);
  const began = Date.now();
  const due = { 'at-once': undefined, past: began - 60_000, soon: began + 1_000, later: began + 3_000 };
  await sendAll(
    sender,
    Object.entries(due).map(([id, deliverAt]) => record(id, undefined, id, { deliverAt })),
  );
  const came = new Map<string, number>();
  await until(() => {
    for (const { id } of member.records) if (!came.has(id)) came.set(id, Date.now());
    return came.size === 4;
  }, 'all');
  for (const id of ['soon', 'later'] as const) {
    const late = (came.get(id) ?? 0) - due[id];
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(1_500);
  }
  member.settle();
  await member.receiver.close();
});

test('it is told whether a topic exists, which there are, and who receives them', async () => {
  const adapter = await connected();
  const topic = topicSpec('told.of-it');
  expect(await adapter.exists(topic)).toBe(false);
  await expect(adapter.groups(topic.name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // A proxy that had been asked would not find it for 20 s.
  await send(adapter, topic, numbered('m', 3, 3));
  expect(await adapter.exists(topic)).toBe(true);
  expect(await adapter.topics()).toContain('told.of-it');
  const members = [
    await Member.join(adapter, groupSpec(topic, 'mail')),
    await Member.join(adapter, groupSpec(topic, 'mail')),
    await Member.join(adapter, groupSpec(topic, 'x'.repeat(64))),
  ];
  expect(await adapter.groups(topic.name)).toMatchObject([
    { group: 'mail', members: 2 },
    { group: 'x'.repeat(64), members: 1 },
  ]);
  await until(() => members.reduce((sum, { records }) => sum + records.length, 0) === 6, 'all');
  for (const member of members) member.settle();
  await Promise.all(members.map(({ receiver }) => receiver.close()));
  await send(adapter, topic, numbered('later', 2, 2));
  expect(await adapter.groups(topic.name)).toEqual([
    { group: 'mail', members: 0, lag: 2 },
    { group: 'x'.repeat(64), members: 0, lag: 2 },
  ]);
});
