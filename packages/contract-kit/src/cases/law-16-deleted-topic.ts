import assert from 'node:assert/strict';
import { codeOf } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import { SLOW_MS, told, type Worker, worker } from './giving-up.js';

/** The members were told that their topic is gone, and say so where they are asked. */
async function assertTold(t: CaseContext, topic: string, members: readonly Worker<Item>[]): Promise<void> {
  const failures = ({ events }: Worker<Item>) => told(events, 'subscription-failed');
  await t.until(() => members.every((member) => failures(member).length > 0), 'every member to be told');
  for (const member of members) {
    const [event] = failures(member);
    assert.deepEqual([event?.topic, event?.group, codeOf(event?.error)], [topic, 'g', 'NOT_FOUND']);
    assert.ok(event?.error.message.includes(topic), `'${event?.error.message}' does not name the topic`);
    const { ready, live } = await member.messaging.health();
    assert.deepEqual({ ready, live }, { ready: false, live: true });
    assert.equal(member.subscription.state, 'starting');
  }
}

/** Each was handled, by one of the members, once. */
async function assertOnce(t: CaseContext, ids: readonly string[], members: readonly Worker<Item>[]): Promise<void> {
  const all = members.map(({ received }) => received);
  await t.oneOf(ids, ...all);
  for (const id of ids) assert.equal(all.flatMap((received) => received.of(id)).length, 1, id);
}

export const law16deletedTopic = law(
  16,
  ['recovery', 'native-interop'],
  [
    {
      id: 'RC19',
      title:
        'a topic that is deleted while it is received is told as NOT_FOUND; when it is there again the members go on by themselves, and miss nothing',
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const native = await t.native();
        const options = { startFrom: 'latest' } as const;
        const members = [await worker(t, topic, { options }), await worker(t, topic, { options })];
        const before = await t.send(await t.messaging(), topic, items(40, 20));
        await assertOnce(t, before, members);
        await native.deleteTopic(topic.name);
        await assertTold(t, topic.name, members);
        // Whoever sends makes it again, by its definition; the members are not there yet.
        const after = await t.messaging();
        const first = await t.send(after, topic, items(40, 20, 'first'));
        await t.oneOf(first, ...members.map(({ received }) => received));
        for (const { messaging } of members)
          await t.poll(async () => (await messaging.health()).ready, 'every member to be ready again');
        const next = await t.send(after, topic, items(40, 20, 'next'));
        await t.oneOf(next, ...members.map(({ received }) => received));
        for (const { subscription } of members) assert.equal(subscription.state, 'running');
      },
    },
  ],
);
