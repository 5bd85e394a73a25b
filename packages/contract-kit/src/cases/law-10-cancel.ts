import assert from 'node:assert/strict';
import type { Cancellation } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, items } from '../context.js';
import { assertExact, delay, idsOf, member, ready } from './delayed.js';
import { SLOW_MS } from './giving-up.js';

/** A process that has cancelled before: what it needs for that stands. */
async function canceller(t: CaseContext, topic: ReturnType<CaseContext['keyed']>) {
  const producer = (await t.messaging()).producer();
  const { token } = await delay(producer, topic, { key: 'warm-up', n: -2 }, { delayMs: 3_600_000 });
  assert.equal(await producer.cancel(token), 'cancelled');
  return producer;
}

export const law10cancel = law(
  10,
  ['delay'],
  [
    {
      id: 'DE5',
      title:
        'cancelled before it is due nobody ever gets a message; afterwards it is too late; asking again says the same',
      async run(t) {
        const { producer, topic, received, messaging } = await ready(t);
        const other = await canceller(t, topic);
        const gone = await delay(producer, topic, { key: 'a', n: 0 }, { delayMs: 2_300 });
        const kept = await delay(producer, topic, { key: 'a', n: 1 }, { delayMs: 2_400 });
        assert.equal(await producer.cancel(gone.token), 'cancelled');
        assert.equal(await other.cancel(gone.token), 'cancelled');
        await received.all([kept.id]);
        assert.equal(await other.cancel(kept.token), 'too-late');
        assert.equal(await producer.cancel(kept.token), 'too-late');
        assert.equal(await producer.cancel(gone.token), 'cancelled');
        await t.quiet(messaging, topic, received);
        assert.deepEqual(received.of(gone.id), []);
      },
    },
    {
      id: 'DE15',
      title: 'what was cancelled stays cancelled when every process has gone and others came',
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const before = (await t.messaging()).producer();
        const deliverAt = Date.now() + 3_000;
        const gone = await delay(before, topic, { key: 'a', n: 0 }, { deliverAt });
        const far = await delay(before, topic, { key: 'a', n: 1 }, { deliverAt: deliverAt + 3_600_000 });
        const kept = await delay(before, topic, { key: 'a', n: 2 }, { deliverAt });
        assert.equal(await before.cancel(gone.token), 'cancelled');
        await before.close();
        await t.leaveAll();
        const { received, producer, messaging } = await member(t, topic);
        await received.all([kept.id]);
        assert.equal(await producer.cancel(gone.token), 'cancelled');
        assert.equal(await producer.cancel(far.token), 'cancelled');
        await t.quiet(messaging, topic, received);
        assert.deepEqual([...received.of(gone.id), ...received.of(far.id)], []);
      },
    },
    {
      id: 'DE18',
      title:
        'cancelled by another process while it falls due, each message is cancelled or comes, never both, never neither',
      timeoutMs: SLOW_MS,
      async run(t) {
        const { producer, topic, received, messaging, at } = await ready(t);
        const other = await canceller(t, topic);
        const begin = Date.now() + 1_500;
        const all = items(120, 20);
        const sent = await Promise.all(
          all.map((one) => delay(producer, topic, one, { deliverAt: begin + one.n * 12 })),
        );
        const answers = new Map<string, Cancellation>();
        const asking = sent.map(async ({ id, due, token }, n) => {
          await t.later(Math.max(0, due - Date.now() + (n % 9) * 5 - 25));
          answers.set(id, await other.cancel(token));
        });
        await Promise.all(asking);
        const last = await delay(producer, topic, { key: 'last', n: 0 }, { delayMs: 500 });
        await received.all([last.id, ...idsOf(sent).filter((id) => answers.get(id) === 'too-late')]);
        await t.quiet(messaging, topic, received);
        assertExact(answers, { received, at });
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);
