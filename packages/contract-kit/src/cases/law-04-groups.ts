import assert from 'node:assert/strict';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import type { Received } from '../received.js';

/** First calls of each key came in the order of the sends, and no key had two handlers at once. */
export function assertOrder<T extends Item>(received: Pick<Received<T>, 'calls' | 'mostOfKey'>): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { delivery } of received.calls) {
    if (seen.has(delivery.id)) continue;
    seen.add(delivery.id);
    const before = last.get(delivery.value.key) ?? -1;
    assert.ok(delivery.value.n > before, `key ${delivery.value.key}: ${delivery.value.n} came after ${before}`);
    last.set(delivery.value.key, delivery.value.n);
  }
  assert.ok(received.mostOfKey <= 1, `${received.mostOfKey} handlers of one key at once`);
}

/** Sends `count` items in slices, so that members come and go while messages flow. */
async function flow(
  t: CaseContext,
  topic: ReturnType<CaseContext['keyed']>,
  count: number,
  keys: number,
  between: (slice: number) => Promise<void>,
): Promise<string[]> {
  const messaging = await t.messaging();
  const all = items(count, keys);
  const ids: string[] = [];
  const slice = Math.ceil(count / 4);
  for (let n = 0; n < 4; n++) {
    ids.push(...(await t.send(messaging, topic, all.slice(n * slice, (n + 1) * slice))));
    await between(n);
  }
  return ids;
}

export const law04 = law(
  4,
  ['groups'],
  [
    {
      id: 'CG1',
      title: 'two groups each get every message',
      async run(t) {
        const topic = t.keyed();
        const [one, two] = [t.received(), t.received()];
        await Promise.all([t.member('one', topic, one), t.member('two', topic, two)]);
        const ids = await t.send(await t.messaging(), topic, items(60, 10));
        await Promise.all([one.all(ids), two.all(ids)]);
        assert.deepEqual([one.duplicates, two.duplicates], [[], []]);
      },
    },
    {
      id: 'CG2',
      title: 'the members of a group share its messages: each message goes to one of them, and all have work',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const members = ['a', 'b'];
        await Promise.all(members.map((member) => t.member('g', topic, received, member)));
        const messaging = await t.messaging();
        const ids: string[] = [];
        // Sharing settles within seconds of a join; until then one member may have it all.
        await t.poll(async () => {
          const more = await t.send(messaging, topic, items(200, 200, `round-${ids.length}-`));
          ids.push(...more);
          await received.all(more);
          const last = new Set(more);
          return members.every((member) => received.by(member).some(({ delivery }) => last.has(delivery.id)));
        }, 'both members to get messages');
        assert.deepEqual(received.duplicates, []);
        assert.equal(received.calls.length, ids.length);
      },
    },
    {
      id: 'CG4',
      title: 'more members than a topic can be shared by: all join, nothing is lost, nothing comes twice',
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const members = Array.from({ length: 20 }, (_, i) => `m${i}`);
        const messaging = await t.messaging();
        // In two messagings: 20 processes would be a test of the machine.
        const processes = await Promise.all([t.messaging(), t.messaging()]);
        await Promise.all(
          members.map(async (member, i) => {
            const consumer = (processes[i % 2] ?? messaging).consumer({ group: 'g' });
            consumer.subscribe(topic, received.handler(member));
            await consumer.start();
          }),
        );
        const ids = await t.send(messaging, topic, items(200, 100));
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'CG5',
      title: 'members that join while messages flow: nothing lost, nothing twice, order by key kept',
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received, 'a');
        const ids = await flow(t, topic, 800, 40, async (slice) => {
          if (slice < 2) await t.member('g', topic, received, `joined-${slice}`);
        });
        await received.all(ids);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'CG6',
      title:
        'a member that leaves gracefully: what it settled never comes again, what it did not is taken over at once, in order',
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const leaver = await t.member(
          'g',
          topic,
          received,
          'leaver',
          () => new Promise((resolve) => setImmediate(resolve)),
        );
        await t.member('g', topic, received, 'stays');
        let left = 0;
        const ids = await flow(t, topic, 800, 40, async (slice) => {
          if (slice !== 1) return;
          const begin = performance.now();
          await leaver.close();
          left = performance.now() - begin;
        });
        await received.all(ids);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
        assert.ok(left < t.capabilities.limits.takeoverMs + 10_000, `leaving took ${Math.round(left)} ms`);
      },
    },
    {
      id: 'CG11',
      title: 'a subscription that disagrees with the group’s is refused with CONFLICT, and the group goes on',
      needs: ['start-earliest', 'start-latest'],
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received, 'a', undefined, { startFrom: 'earliest' });
        const other = (await t.messaging()).consumer({ group: 'g' });
        other.subscribe(topic, () => {}, { startFrom: 'latest' });
        await assert.rejects(other.start(), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'CONFLICT');
          assert.match(error.message, /startFrom=earliest.*startFrom=latest|startFrom=latest.*startFrom=earliest/s);
          return true;
        });
        await received.all(await t.send(await t.messaging(), topic, items(20, 5)));
      },
    },
    {
      id: 'CG12',
      title: 'one group on two topics: a position, a share and an attempt of its own on each',
      async run(t) {
        const [first, second] = [t.keyed(), t.keyed()];
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'g' });
        const [fromFirst, fromSecond] = [t.received(), t.received()];
        consumer.subscribe(first, fromFirst.handler());
        consumer.subscribe(second, fromSecond.handler());
        await consumer.start();
        const [one, two] = await Promise.all([
          t.send(messaging, first, items(30, 6)),
          t.send(messaging, second, items(30, 6)),
        ]);
        await Promise.all([fromFirst.all(one), fromSecond.all(two)]);
        assert.deepEqual([fromFirst.duplicates, fromSecond.duplicates], [[], []]);
      },
    },
  ],
);
