import type { ReceiverSpec, TopicSpec } from '@anymq/core/adapter';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type RocketmqOptions, rocketmq } from '../src/index.js';
import { Remoting } from '../src/internal/remoting.js';
import { groupName, topicName } from '../src/names.js';
import { type ParsedOptions, parseOptions } from '../src/options.js';
import { Topology } from '../src/topology.js';
import { sendAll } from './support/member.js';
import { record, testRuntime, topicSpec, uniqueNamespace } from './support/runtime.js';
import { sharedBroker } from './support/target.js';

jest.setTimeout(60_000);

const RESET_OFFSET = 222;
const CREATE_GROUP = 200;
const ROUNDS = [1, 2, 3, 4];
const CHARTERS = 'ANYMQ_CHARTERS';

const namespace = uniqueNamespace();
const topics = new Set<string>();
const groups = new Set<string>();
const open: { close(): Promise<void> }[] = [];
let broker: RocketmqOptions;
let parsed: ParsedOptions;
let asked: jest.SpiedFunction<Remoting['ask']>;

beforeAll(async () => {
  broker = await sharedBroker();
  parsed = parseOptions(broker);
});

beforeEach(() => {
  asked = jest.spyOn(Remoting.prototype, 'ask');
});

afterEach(async () => {
  asked.mockRestore();
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Nothing of a run stays on the shared broker or its name server. */
afterAll(async () => {
  const [nameServer, master] = await servers();
  for (const groupName of groups) {
    await master.call(207, { groupName, cleanOffset: true });
    await nameServer.call(102, { namespace: CHARTERS, key: groupName });
  }
  for (const topic of topics) {
    await master.call(215, { topic });
    await nameServer.call(216, { topic });
  }
  await Promise.all([nameServer.close(), master.close()]);
});

async function servers(): Promise<readonly [nameServer: Remoting, master: Remoting]> {
  const settings = { clock: testRuntime(namespace).clock, timeoutMs: 5_000 };
  const nameServer = new Remoting(parsed.nameServers[0] ?? '', settings);
  const { body } = await nameServer.call(106);
  const [, address = ''] = /"brokerAddrs":\{0:"([^"]+)"/.exec(body.toString()) ?? [];
  return [nameServer, new Remoting(address, settings)];
}

function topology(): Topology {
  const made = new Topology(parsed, testRuntime(namespace));
  open.push(made);
  return made;
}

function spec(topic: TopicSpec, group: string, startFrom: ReceiverSpec['startFrom'], charter = 'v1'): ReceiverSpec {
  topics.add(topicName(namespace, topic.name));
  groups.add(groupName(namespace, group, topic.name));
  return { topic, group, startFrom, maxInFlight: 10, maxInFlightBytes: 1e9, charter };
}

const times = (code: number): number => asked.mock.calls.filter(([each]) => each === code).length;

/** `count` messages on the topic, from a producer of ours. */
async function send(topic: TopicSpec, count: number): Promise<void> {
  topics.add(topicName(namespace, topic.name));
  const adapter = rocketmq(broker).create(testRuntime(namespace));
  await adapter.connect(new AbortController().signal);
  const sender = await adapter.openSender(topic);
  const ids = Array.from({ length: count }, (_, n) => `m-${n}`);
  await sendAll(
    sender,
    ids.map((id) => record(id, topic.keyed ? id : undefined, id)),
  );
  await sender.close();
  await adapter.close();
}

describe('a new group', () => {
  test.each(
    ROUNDS.flatMap((round) => [
      ['latest', true, round, 0] as const,
      ['earliest', true, round, 3] as const,
      ['latest', false, round, 0] as const,
      ['earliest', false, round, 3] as const,
    ]),
  )(
    '%s, keyed %s, round %i: members that open it at the same instant set it up once',
    async (from, keyed, round, lag) => {
      const topic = topicSpec(`race-${from}-${keyed}-${round}`, { keyed });
      await send(topic, 3);
      const members = [topology(), topology(), topology()];
      const names = await Promise.all(
        members.map(async (each) => each.group(spec(topic, 'g', from), await each.topic(topic))),
      );
      expect(new Set(names)).toEqual(new Set([groupName(namespace, 'g', topic.name)]));
      expect([times(CREATE_GROUP), times(RESET_OFFSET)]).toEqual([1, 1]);
      const name = topicName(namespace, topic.name);
      expect(await members[0]?.lag(name, names[0] ?? '')).toBe(lag);
      // Whoever comes later changes nothing about where the group stands.
      await send(topic, 2);
      await topology().group(spec(topic, 'g', from === 'latest' ? 'earliest' : 'latest'), name);
      expect(times(RESET_OFFSET)).toBe(1);
      expect(await members[0]?.lag(name, names[0] ?? '')).toBe(lag + 2);
    },
  );

  test('a member with another charter is refused, and told both', async () => {
    const topic = topicSpec('charter');
    const [first, second] = [topology(), topology()];
    const name = await first.topic(topic);
    await first.group(spec(topic, 'g', 'latest', 'by-one'), name);
    const refused = second.group(spec(topic, 'g', 'latest', 'by-another'), name);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/by-another.*by-one/),
    });
  });

  test.each([true, false])('with the longest names the broker takes, keyed %s', async (keyed) => {
    const long = uniqueNamespace().padEnd(24, 'n');
    const topic = topicSpec('t'.repeat(100), { keyed });
    const member = new Topology(parsed, testRuntime(long));
    open.push(member);
    const name = await member.topic(topic);
    const group = await member.group({ ...spec(topic, 'g'.repeat(64), 'latest'), topic }, name);
    topics.delete(topicName(namespace, topic.name));
    groups.delete(groupName(namespace, 'g'.repeat(64), topic.name));
    topics.add(name);
    groups.add(group);
    expect(await member.lag(name, group)).toBe(0);
  });
});

describe('a group that lost a part', () => {
  const restart = async (topic: TopicSpec, lose: (server: readonly [Remoting, Remoting], group: string) => unknown) => {
    const name = topicName(namespace, topic.name);
    const made = await topology().group(spec(topic, 'g', 'latest'), await topology().topic(topic));
    await send(topic, 5);
    const both = await servers();
    await lose(both, made);
    await topology().group(spec(topic, 'g', 'latest'), name);
    const config = await both[1].call(201);
    await Promise.all([both[0].close(), both[1].close()]);
    const at = config.body.toString().indexOf(`"groupName":"${made}"`);
    return { lag: await topology().lag(name, made), there: at !== -1 };
  };

  test('its charter: it resumes where it stood', async () => {
    const lose = ([nameServer]: readonly [Remoting, Remoting], key: string) =>
      nameServer.call(102, { namespace: CHARTERS, key });
    expect(await restart(topicSpec('lost-charter'), lose)).toEqual({ lag: 5, there: true });
  });

  test('itself: it is made anew before anybody joins', async () => {
    const lose = ([, master]: readonly [Remoting, Remoting], group: string) =>
      master.call(207, { groupName: group, cleanOffset: true });
    expect(await restart(topicSpec('lost-group'), lose)).toEqual({ lag: 0, there: true });
  });
});

test('a topic of the other kind is a conflict', async () => {
  const topic = topicSpec('kind', { keyed: true });
  const name = await topology().topic(topic);
  topics.add(name);
  await expect(topology().topic({ ...topic, keyed: false })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await topology().topic(topic)).toBe(name);
});

test('notes are seen by every member until they are forgotten', async () => {
  const [one, other] = [topology(), topology()];
  const [id, group] = [`${namespace}-m`, `${namespace}-g`];
  const at = { queue: 'broker-a/3', offset: 7 };
  expect(await other.attempts.read(group, id)).toBe(0);
  expect(await other.attempts.all(group)).toEqual(new Map());
  await one.attempts.note(group, id, { ...at, attempts: 2 });
  await one.attempts.note(group, id, { ...at, attempts: 3 });
  expect(await other.attempts.read(group, id)).toBe(3);
  expect(await other.attempts.all(group)).toEqual(new Map([[id, { ...at, attempts: 3 }]]));
  expect(await other.attempts.read('other', id)).toBe(0);
  await other.attempts.forget(group, id);
  expect(await one.attempts.read(group, id)).toBe(0);
  expect(await one.attempts.all(group)).toEqual(new Map());
});

test('a real request tells whether name server and broker are there', async () => {
  await topology().ping();
  const gone = new Topology({ ...parsed, nameServers: ['127.0.0.1:1'] }, testRuntime(namespace));
  open.push(gone);
  await expect(gone.ping()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
