import assert from 'node:assert/strict';
import { fixed } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import type { Received } from '../received.js';
import { SLOW_MS, type Worker, worker } from './giving-up.js';
import { assertOrder } from './law-04-groups.js';

/** The first message of the key 'held' fails as long as `ill` says so. */
const failing =
  (ill: () => boolean) =>
  ({ key, value }: { readonly key: string | undefined; readonly value: { readonly n: number } }): void => {
    if (ill() && key === 'held' && value.n === 0) throw new Error('not yet');
  };

const held = (count: number) => items(count, 1).map(({ n }) => ({ key: 'held', n }));

/** Sends a message that fails twice at least, and some behind it. */
async function heldAt(t: CaseContext, topic: ReturnType<CaseContext['keyed']>, { received }: Worker<Item>) {
  const ids = await t.send(await t.messaging(), topic, held(8));
  await t.until(() => received.of(ids[0] ?? '').length >= 2, 'two failed calls');
  return ids;
}

/** The last calls of `ids` came in their order, and none came before what stood before it was done. */
function assertBehind(ids: readonly string[], ...members: readonly Pick<Received<Item>, 'calls'>[]): void {
  const [first = '', ...behind] = ids;
  const calls = members.flatMap((member) => member.calls.map(({ delivery }) => delivery.id));
  const done = calls.lastIndexOf(first);
  const order = calls.filter((id) => behind.includes(id));
  assert.ok(
    behind.every((id) => calls.indexOf(id) > done),
    'a message passed one of its key that waits for its retry',
  );
  assert.deepEqual(order, behind);
}

export const law07hold = law(
  7,
  ['redelivery', 'key-order'],
  [
    {
      id: 'RT23',
      title: 'what waits for its retry stays the first of its key when its consumer leaves, and its attempts go on',
      needs: ['attempts-survive'],
      async run(t) {
        const topic = t.keyed();
        let ill = true;
        const options = { retry: { backoff: fixed(150) } };
        const before = await worker(t, topic, { work: failing(() => ill), options });
        const ids = await heldAt(t, topic, before);
        await before.consumer.close();
        const failed = before.received.of(ids[0] ?? '').length;
        ill = false;
        const after = await worker(t, topic, { options });
        await after.received.all(ids);
        assertBehind(ids, before.received, after.received);
        assert.equal(after.received.of(ids[0] ?? '')[0]?.delivery.attempt, failed + 1);
        assertOrder(after.received);
      },
    },
    {
      id: 'RT24',
      title:
        'what waits for its retry stays the first of its key when its consumer is cut off, and is given up by no count that nobody saw',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        let ill = true;
        const options = { retry: { backoff: fixed(150) } };
        const outage = await t.outage();
        const before = await worker(t, topic, { adapter: outage.configure(), work: failing(() => ill), options });
        const ids = await heldAt(t, topic, before);
        outage.begin();
        ill = false;
        const after = await worker(t, topic, { options });
        await after.received.all(ids);
        outage.end();
        const failed = before.received.of(ids[0] ?? '').length;
        const { attempt } = after.received.calls[0]?.delivery ?? assert.fail('no call');
        assert.ok(attempt >= 1 && attempt <= failed + 1, `attempt ${attempt} after ${failed} calls`);
        assertBehind(ids, after.received);
        assertOrder(after.received);
      },
    },
    {
      id: 'RT14',
      title: 'a message that failed in 22 consumers one after the other is still there, and is handled by the next',
      timeoutMs: 240_000,
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [id = ''] = await t.send(messaging, topic, held(1));
        const received = t.received();
        for (let n = 1; n <= 22; n++) {
          const { consumer } = await worker(t, topic, {
            received,
            work: failing(() => true),
            options: { retry: { backoff: fixed(60_000) } },
          });
          await t.until(() => received.of(id).length >= n, `call ${n}`);
          await consumer.close();
        }
        const { received: last, subscription } = await worker(t, topic);
        await last.all([id]);
        assert.equal(last.of(id)[0]?.delivery.redelivered, true);
        await t.poll(async () => (await subscription.lag()) === 0, 'the message to be settled');
      },
    },
    {
      id: 'RT25',
      title: 'a message that failed 25 times in one consumer is still there: without maxAttempts nothing is given up',
      async run(t) {
        const topic = t.keyed();
        const work = ({ key, attempt }: { key: string | undefined; attempt: number }): void => {
          if (key !== undefined && attempt <= 25 && !key.startsWith('sentinel')) throw new Error('not yet');
        };
        const { received, messaging, events } = await worker(t, topic, {
          work,
          options: { retry: { backoff: fixed(5) } },
        });
        const ids = await t.send(messaging, topic, items(3, 3));
        await t.until(() => ids.every((id) => received.of(id).length === 26), '26 calls for each');
        await t.quiet(messaging, topic, received);
        for (const id of ids) assert.equal(received.of(id).length, 26);
        assert.deepEqual(
          events.filter(({ type }) => type === 'dead-lettered' || type === 'discarded'),
          [],
        );
      },
    },
  ],
);
