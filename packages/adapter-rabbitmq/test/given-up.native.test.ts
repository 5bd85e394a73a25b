import { type PrivateBroker, startPrivate } from '@anymq/brokers';
import { listed } from '@anymq/contract-kit';
import { createMessaging, type DeadLetter, defineTopic, type Messaging } from '@anymq/core';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { rabbitmq } from '../src/index.js';
import { plainClient } from './support/broker.js';
import { uniqueNamespace, until } from './support/runtime.js';

const BUCKETS = 2;
const topic = defineTopic('orders', { schema: z.object({ n: z.int() }), key: ({ n }) => `k-${n % 7}` });

let broker: PrivateBroker;
let url: string;
let namespace: string;
const open: Messaging[] = [];

beforeAll(async () => {
  broker = await startPrivate('rabbitmq');
  url = String(broker.connection.url);
}, 120_000);
afterAll(() => broker.close(), 60_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  await broker.tool('rabbitmqctl', 'clear_operator_policy', 'limit').catch(() => {});
});

const shares = (): string[] => Array.from({ length: BUCKETS }, (_, index) => `${namespace}.orders:g:0${index}`);

/** A sender of a topic, with a group that stands and that nobody consumes. */
async function emptyGroup(): Promise<Messaging> {
  namespace = uniqueNamespace();
  const brokers = { main: rabbitmq({ url, buckets: BUCKETS }) };
  const messaging = await createMessaging({ namespace, brokers, cwd: import.meta.dirname });
  open.push(messaging);
  const consumer = messaging.consumer({ group: 'g' });
  consumer.subscribe(topic, () => {});
  await consumer.start();
  await consumer.close();
  return messaging;
}

/** As an administrator does, for queues whatever those who declare them say. */
async function limit(settings: Readonly<Record<string, number>>): Promise<void> {
  const pattern = `^${namespace}\\.orders:g:[0-9]+$`;
  const definition = JSON.stringify(settings);
  await broker.tool('rabbitmqctl', 'set_operator_policy', 'limit', pattern, definition, '--apply-to', 'queues');
}

async function sendAll(messaging: Messaging, count: number): Promise<void> {
  const producer = messaging.producer();
  const sends = Array.from({ length: count }, (_, n) =>
    producer.send(topic, { n }, { id: `m-${n}`, headers: { n: `${n}` } }),
  );
  await Promise.all(sends);
}

/** Resolves when the queues of the group have nothing any more. */
async function empty(): Promise<void> {
  const { channel, close } = await plainClient(url);
  const depth = async (): Promise<number> => {
    const all = await Promise.all(shares().map((queue) => channel.checkQueue(queue)));
    return all.reduce((sum, { messageCount }) => sum + messageCount, 0);
  };
  await until(async () => (await depth()) === 0, 'the broker to give all up');
  await close();
}

async function lettersOf(messaging: Messaging, count: number): Promise<DeadLetter[]> {
  let letters: DeadLetter[] = [];
  await until(async () => {
    letters = await listed(messaging.deadLetters(topic, { group: 'g' }));
    return letters.length >= count;
  }, `${count} letters`);
  return letters;
}

const numbers = (letters: readonly DeadLetter[]): number[] =>
  letters.map(({ body }) => JSON.parse(Buffer.from(body).toString()).n).sort((a, b) => a - b);

test('what was delivered too often is a dead letter, though no handler saw it', async () => {
  const messaging = await emptyGroup();
  await sendAll(messaging, 10);
  await limit({ 'delivery-limit': 2 });
  const { channel, close } = await plainClient(url);
  for (const queue of shares()) await channel.consume(queue, (message) => message && channel.nack(message));
  await empty();
  await close();
  const handled: unknown[] = [];
  const consumer = messaging.consumer({ group: 'g' });
  consumer.subscribe(topic, (delivery) => void handled.push(delivery));
  await consumer.start();
  const letters = await lettersOf(messaging, 10);
  expect(numbers(letters)).toEqual(Array.from({ length: 10 }, (_, n) => n));
  expect(letters[0]?.cause.message).toContain('delivery_limit');
  expect(handled).toEqual([]);
});

test('a limit of length refuses what comes, and drops nothing that was confirmed', async () => {
  const messaging = await emptyGroup();
  await limit({ 'max-length': 5 });
  const producer = messaging.producer();
  const stored: number[] = [];
  let refusal: unknown;
  while (refusal === undefined && stored.length < 500)
    await producer.send(topic, { n: stored.length }, { timeoutMs: 1_000 }).then(
      () => stored.push(stored.length),
      (error) => (refusal = error),
    );
  expect(refusal).toMatchObject({ code: 'INDETERMINATE' });
  const handled = new Set<number>();
  const consumer = messaging.consumer({ group: 'g' });
  consumer.subscribe(topic, ({ value }) => void handled.add(value.n));
  await consumer.start();
  await until(() => stored.every((n) => handled.has(n)), 'all that was confirmed is handled');
  expect(await lettersOf(messaging, 0)).toEqual([]);
});
