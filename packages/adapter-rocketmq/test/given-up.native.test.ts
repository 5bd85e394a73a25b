import { randomUUID } from 'node:crypto';
import { ensureBroker } from '@anymq/brokers';
import { listed } from '@anymq/contract-kit';
import { createMessaging, type DeadLetter, defineTopic, fixed, type Messaging } from '@anymq/core';
import { afterEach, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { type RocketmqOptions, rocketmq } from '../src/index.js';
import { groupName } from '../src/names.js';
import { remote } from './support/remote.js';
import { until } from './support/runtime.js';

jest.setTimeout(120_000);

const UPDATE_GROUP = 200;
const schema = z.object({ n: z.int() });
const keyed = defineTopic('orders', { schema, key: ({ n }) => `k-${n % 3}` });
const free = defineTopic('events', { schema });
const { connection, endpoints } = await ensureBroker('rocketmq');
const open: Messaging[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function newMessaging(): Promise<{ messaging: Messaging; namespace: string }> {
  const namespace = `t-${randomUUID().slice(0, 8)}`;
  const main = rocketmq({ ...(connection as unknown as RocketmqOptions), leaseMs: 10_000 });
  const messaging = await createMessaging({ namespace, brokers: { main }, cwd: import.meta.dirname });
  open.push(messaging);
  return { messaging, namespace };
}

/** As an administrator does, who knows nothing of AnyMQ. */
async function lowerRetries(namespace: string, topic: string, ordered: boolean, retryMaxTimes: number): Promise<void> {
  const group = {
    groupName: groupName(namespace, 'g', topic),
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    consumeMessageOrderly: ordered,
    retryQueueNums: 1,
    retryMaxTimes,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
  };
  await remote(String(endpoints.broker), connection as unknown as RocketmqOptions, (remoting) =>
    remoting.call(UPDATE_GROUP, {}, group),
  );
}

/** A member that fails what it gets until it has got all, and leaves: it goes back, and has been delivered once more. */
async function failing(messaging: Messaging, topic: typeof keyed | typeof free): Promise<void> {
  const got = new Set<number>();
  const consumer = messaging.consumer({ group: 'g' });
  const fail = ({ value }: { value: { n: number } }): void => {
    got.add(value.n);
    throw new Error('not now');
  };
  consumer.subscribe(topic, fail, { retry: { backoff: fixed(60_000) } });
  await consumer.start();
  // Of each key the first.
  await until(() => got.size === (topic === keyed ? 3 : 5), 'the messages');
  await consumer.close();
}

async function lettersOf(
  messaging: Messaging,
  topic: typeof keyed | typeof free,
  count: number,
): Promise<DeadLetter[]> {
  let letters: DeadLetter[] = [];
  await until(async () => {
    letters = await listed(messaging.deadLetters(topic, { group: 'g' }));
    return letters.length >= count;
  }, `${count} letters`);
  return letters;
}

test.each([
  ['without keys', free, false],
  ['with keys', keyed, true],
] as const)(
  'what RocketMQ gives up of a topic %s is a dead letter, as it was, and can be redriven',
  async (_, topic, ordered) => {
    const { messaging, namespace } = await newMessaging();
    const first = messaging.consumer({ group: 'g' });
    first.subscribe(topic, () => {});
    await first.start();
    await first.close();
    await lowerRetries(namespace, topic.name, ordered, 1);
    const producer = messaging.producer();
    for (let n = 0; n < 5; n += 1) await producer.send(topic, { n }, { id: `m-${n}`, headers: { n: `${n}` } });
    await failing(messaging, topic);
    const handled: number[] = [];
    const consumer = messaging.consumer({ group: 'g' });
    const subscription = consumer.subscribe(topic, ({ value }) => void handled.push(value.n));
    await consumer.start();
    const letters = await lettersOf(messaging, topic, 5);
    for (const { messageId, key, headers, body, attempts, cause } of letters) {
      const { n } = JSON.parse(Buffer.from(body).toString());
      expect({ messageId, key, headers }).toEqual({
        messageId: `m-${n}`,
        key: ordered ? `k-${n % 3}` : undefined,
        headers: { n: `${n}` },
      });
      // Of each key only the first was handled.
      expect(attempts).toBe(ordered && n > 2 ? 0 : 1);
      expect(cause).toMatchObject({ code: 'GIVEN_UP_BY_BROKER', message: expect.stringContaining('retryMaxTimes') });
    }
    expect(letters.map(({ messageId }) => messageId).sort()).toEqual(['m-0', 'm-1', 'm-2', 'm-3', 'm-4']);
    expect(handled).toEqual([]);
    await until(async () => (await subscription.lag()) === 0, 'nothing to be left');
    expect((await messaging.deadLetters(topic, { group: 'g' }).redrive({})).redriven).toBe(5);
    await until(() => handled.length === 5, 'all to be handled');
  },
);
