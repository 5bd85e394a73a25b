import assert from 'node:assert/strict';
import { codeOf } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import {
  failsOnce,
  refusing,
  release,
  SLOW_MS,
  told,
  toldOf,
  unsettling,
  type Worker,
  type WorkerSettings,
  worker,
} from './giving-up.js';

/** Long enough that all is prepared for what is to happen meanwhile, however slow the machine is. */
const RETRY_MS = 12_000;

/** A worker that lets what fails once wait for `delayMs`, and when each message failed. */
async function once(
  t: CaseContext,
  topic: ReturnType<CaseContext['keyed']>,
  delayMs: number,
  settings: WorkerSettings<Item> = {},
): Promise<Worker<Item> & { readonly failedAt: ReadonlyMap<string, number> }> {
  const failedAt = new Map<string, number>();
  const work: WorkerSettings<Item>['work'] = (delivery) => {
    if (!failedAt.has(delivery.id)) failedAt.set(delivery.id, Date.now());
    failsOnce(delivery);
  };
  const one = await worker(t, topic, { work, options: { retry: release(delayMs) }, ...settings });
  return { ...one, failedAt };
}

/**
 * What failed in `before` came again in `after` alone, as the next attempt, not before its time.
 *
 * @param copies what a fault may have made of each: what was being passed on just then is passed on once more
 */
function assertGoesOn(
  ids: readonly string[],
  before: { readonly failedAt: ReadonlyMap<string, number> },
  after: Worker<Item>,
  at: ReadonlyMap<string, number>,
  delayMs: number,
  copies = 1,
): void {
  for (const id of ids) {
    const attempts = after.received.of(id).map(({ delivery }) => delivery.attempt);
    assert.ok(attempts.length >= 1 && attempts.length <= copies, `attempts ${attempts}`);
    assert.deepEqual([...new Set(attempts)], [2]);
    const waited = (at.get(id) ?? 0) - (before.failedAt.get(id) ?? 0);
    assert.ok(waited >= delayMs, `it came again after ${waited} ms in place of ${delayMs}`);
  }
}

export const law07releaseFaults = law(
  7,
  ['redelivery', 'release'],
  [
    {
      id: 'RT7',
      title:
        'released: what waits for its retry comes to the next consumer when its own leaves, its attempts counted on',
      async run(t) {
        const topic = t.keyed();
        const before = await once(t, topic, 1_500);
        const ids = await t.send(before.messaging, topic, items(10, 5));
        await t.until(() => before.failedAt.size === 10, 'ten failed calls');
        await before.consumer.close();
        await before.messaging.close();
        const after = await once(t, topic, 1_500);
        await after.received.all(ids);
        await t.quiet(after.messaging, topic, after.received);
        assertGoesOn(ids, before, after, after.failedAt, 1_500);
      },
    },
    {
      id: 'RT26',
      title: 'released: what waits for its retry comes to another consumer when its own is cut off from the broker',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const outage = await t.outage();
        const before = await once(t, topic, RETRY_MS, { adapter: outage.configure() });
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(10, 5));
        await t.until(() => before.failedAt.size === 10, 'ten failed calls');
        // As the broker knows it: a settlement that is still on its way may be lost with the connection.
        const settled = async (): Promise<boolean> =>
          (await direct.groups(topic.name)).every(({ group, lag }) => group !== 'g' || lag === 0);
        await t.poll(settled, 'the copies to stand for the messages');
        outage.begin();
        const after = await once(t, topic, RETRY_MS);
        await after.received.all(ids);
        outage.end();
        await t.quiet(direct, topic, { all: (sentinels) => t.oneOf(sentinels, before.received, after.received) });
        assertGoesOn(ids, before, after, after.failedAt, RETRY_MS, 2);
      },
    },
    {
      id: 'RT27',
      title:
        'released: what waits for its retry when the broker goes away comes again when it is back, its attempts counted on',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const outage = await t.outage();
        const failed = await once(t, topic, 1_000, { adapter: outage.configure() });
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(10, 5));
        await t.until(() => failed.failedAt.size === 10, 'ten failed calls');
        outage.begin();
        const { received, events } = failed;
        await t.until(() => told(events, 'connection').at(-1)?.state === 'down', 'the outage to be told');
        outage.end();
        await t.until(
          () => ids.every((id) => received.of(id).some(({ delivery }) => delivery.attempt === 2)),
          'a second attempt of each',
        );
        await t.quiet(direct, topic, received);
        for (const id of ids) {
          const attempts = received.of(id).map(({ delivery }) => delivery.attempt);
          // The fault may have struck between the copy and the settlement, and before the answer to the copy: it is written again.
          assert.ok(attempts.length <= 5 && Math.max(...attempts) === 2, `attempts ${attempts}`);
        }
      },
    },
    {
      id: 'RT11',
      title:
        'a copy that cannot be stored leaves its message unsettled and says so; later it is stored and comes again',
      async run(t) {
        const topic = t.keyed();
        let refused = true;
        const adapter = refusing(t.configure(), 'anymq.', () => refused);
        const { subscription, messaging, received, events } = await once(t, topic, 10, { adapter });
        const ids = await t.send(messaging, topic, items(4, 4));
        await toldOf(t, events, 'release-failed', ids);
        await t.until(() => told(events, 'release-failed').length >= 8, 'it to be tried again');
        const [event] = told(events, 'release-failed');
        assert.deepEqual([event?.topic, event?.group, codeOf(event?.error)], [topic.name, 'g', 'UNAUTHORISED']);
        assert.equal(subscription.inFlight, 4);
        for (const id of ids) assert.equal(received.of(id).length, 1, 'no call before the copy is stored');
        refused = false;
        await t.until(() => ids.every((id) => received.of(id).length >= 2), 'each to come again');
        await t.poll(async () => (await subscription.lag()) === 0, 'everything to be settled');
        await t.quiet(messaging, topic, received);
        for (const id of ids)
          assert.deepEqual(
            received.of(id).map(({ delivery }) => delivery.attempt),
            [1, 2],
          );
      },
    },
    {
      id: 'RT28',
      title: 'a copy that cannot be stored is not lost when its consumer leaves: the next one gets the message itself',
      async run(t) {
        const topic = t.keyed();
        const adapter = refusing(t.configure(), 'anymq.', () => true);
        const before = await once(t, topic, 10, { adapter, drainTimeoutMs: 500 });
        const ids = await t.send(before.messaging, topic, items(4, 4));
        await toldOf(t, before.events, 'release-failed', ids);
        await before.consumer.close();
        const after = await worker(t, topic);
        await after.received.all(ids);
        await t.quiet(after.messaging, topic, after.received);
        for (const id of ids) assert.equal(after.received.of(id).length, 1);
      },
    },
    {
      id: 'RT31',
      title:
        'released: when the settlement is lost after the copy was stored, the message comes once more, and is not lost',
      async run(t) {
        const topic = t.keyed();
        const before = await once(t, topic, 100, { adapter: unsettling(t.configure(), topic) });
        const ids = await t.send(before.messaging, topic, items(6, 6));
        const attempts = ({ received }: Worker<Item>, id: string): number[] =>
          received.of(id).map(({ delivery }) => delivery.attempt);
        await t.until(() => ids.every((id) => attempts(before, id).length === 2), 'the copy of each');
        await before.consumer.close();
        const after = await worker(t, topic);
        await after.received.all(ids);
        await t.quiet(after.messaging, topic, after.received);
        for (const id of ids) assert.deepEqual([attempts(before, id), attempts(after, id).length], [[1, 2], 1]);
      },
    },
  ],
);
