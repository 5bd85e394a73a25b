import assert from 'node:assert/strict';
import { type DeadLetter, fixed, type Topic } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import type { Received } from '../received.js';
import { lettersOf, listed, messageIds, SLOW_MS, worker } from './giving-up.js';

/** Each of a key of its own: none waits behind another. */
const COUNT = 20;

/** Fails, and has the message wait with the member. */
const held = {
  work: () => {
    throw new Error('not now');
  },
  options: { retry: { backoff: fixed(60_000) } },
};

/** Sends to a group that stands and whose line has a limit. Resolves with the ids. */
async function sendToLimited(t: CaseContext, topic: Topic<Item, Item>): Promise<string[]> {
  const { messaging, consumer } = await worker(t, topic);
  await consumer.close();
  await t.limit(topic, 'g');
  const ids = Array.from({ length: COUNT }, (_, n) => `m-${n}`);
  const producer = messaging.producer();
  const values = items(COUNT, COUNT);
  const sends = values.map((value, n) => producer.send(topic, value, { id: ids[n] as string, headers: { n: `${n}` } }));
  await Promise.all(sends);
  return ids;
}

/** What is to become of all messages of a case. */
interface Dealing {
  readonly ids: readonly string[];
  /** Ids of what is a dead letter. */
  known(): Promise<Set<string>>;
}

/** Every message is a dead letter, or came to that member. */
async function dealtWith(t: CaseContext, { ids, known }: Dealing, { calls }: Received<Item>): Promise<void> {
  const holds = async (): Promise<boolean> => {
    const there = await known();
    for (const { delivery } of calls) there.add(delivery.id);
    return ids.every((id) => there.has(id));
  };
  await t.poll(holds, `${ids.length} messages to be handled or dead letters`);
}

/**
 * Members come, fail on what they get and leave, until the broker has given something up: what an administrator sets may take a
 * while to be known everywhere. Resolves with how many came.
 */
async function comeAndFail(t: CaseContext, topic: Topic<Item, Item>, dealing: Dealing): Promise<number> {
  for (let members = 1; !t.deadline.aborted; members += 1) {
    const { consumer, received } = await worker(t, topic, held);
    await dealtWith(t, dealing, received);
    await consumer.close();
    if ((await dealing.known()).size > 0) return members;
  }
  return assert.fail('the broker gave nothing up: whatever was limited, it was not this group');
}

function assertAsSent({ messageId, key, headers, body }: DeadLetter, keyed: boolean): void {
  const item = JSON.parse(Buffer.from(body).toString()) as Item;
  const sent = { messageId: `m-${item.n}`, key: keyed ? item.key : undefined, headers: { n: `${item.n}` } };
  assert.deepEqual({ messageId, key, headers }, sent);
  assert.equal(item.key, `k${item.n}`);
}

async function run(t: CaseContext, topic: Topic<Item, Item>, keyed: boolean): Promise<void> {
  const ids = await sendToLimited(t, topic);
  const letters = await lettersOf(t, topic);
  const dealing = { ids, known: async () => new Set(messageIds(await listed(letters))) };
  const members = await comeAndFail(t, topic, dealing);
  const { received, subscription } = await worker(t, topic);
  await dealtWith(t, dealing, received);
  await t.poll(async () => (await subscription.lag()) === 0, 'all to be settled');
  const found = await listed(letters);
  for (const letter of found) {
    assertAsSent(letter, keyed);
    assert.equal(letter.cause.code, 'GIVEN_UP_BY_BROKER');
    assert.ok(letter.attempts <= members, `${letter.attempts} attempts, and ${members} had it`);
  }
  const settled = [...messageIds(found), ...received.ended];
  assert.deepEqual(settled.sort(), [...ids].sort(), 'each is a letter or was handled, one time');
  const { redriven } = await letters.redrive({});
  assert.equal(redriven, found.length);
  await received.all(ids);
}

const title = (what: string): string =>
  `what a limit of the broker takes out of the line of a topic ${what} is a dead letter with its cause, as it was, and a redrive brings it back`;

export const law08brokerLimits = law(
  8,
  ['at-least-once', 'dead-letters', 'broker-limits'],
  [
    { id: 'DL42', title: title('with keys'), timeoutMs: SLOW_MS, run: (t) => run(t, t.keyed(), true) },
    { id: 'DL43', title: title('without keys'), timeoutMs: SLOW_MS, run: (t) => run(t, t.unkeyed(), false) },
  ],
);
