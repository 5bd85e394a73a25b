import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';

export const law05 = law(
  5,
  ['groups'],
  [
    {
      id: 'PB6',
      title: 'a new group begins at the earliest message or at the latest, as it asks',
      needs: ['start-earliest', 'start-latest'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const old = await t.send(messaging, topic, items(40, 8, 'old'));
        const [earliest, latest] = [t.received(), t.received()];
        await Promise.all([
          t.member('early', topic, earliest, 'a', undefined, { startFrom: 'earliest' }),
          t.member('late', topic, latest, 'a', undefined, { startFrom: 'latest' }),
        ]);
        const fresh = await t.send(messaging, topic, items(40, 8, 'new'));
        await Promise.all([earliest.all([...old, ...fresh]), latest.all(fresh)]);
        await t.quiet(messaging, topic, latest);
        assert.deepEqual(
          latest.ids.filter((id) => old.includes(id)),
          [],
        );
        assert.deepEqual([earliest.duplicates, latest.duplicates], [[], []]);
      },
    },
    {
      id: 'SP1',
      title: 'latest is exact: what is sent right after start() resolved is not missed, whichever way it goes',
      needs: ['start-latest'],
      async run(t) {
        const messaging = await t.messaging();
        const rounds = Array.from({ length: 3 }, async () => {
          const topic = t.keyed();
          await t.send(messaging, topic, items(5, 5));
          const received = t.received();
          await t.member('g', topic, received, 'a', undefined, { startFrom: 'latest' });
          const ids = await t.send(messaging, topic, items(64, 64));
          await received.all(ids);
          assert.equal(received.calls.length, 64);
        });
        await Promise.all(rounds);
      },
    },
    {
      id: 'SP2',
      title: 'two members of a new group that start at once agree on one position: nothing missed, nothing twice',
      needs: ['start-latest'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        await t.send(messaging, topic, items(20, 10, 'old'));
        const received = t.received();
        await Promise.all(
          ['a', 'b'].map((member) => t.member('g', topic, received, member, undefined, { startFrom: 'latest' })),
        );
        const ids = await t.send(messaging, topic, items(100, 50));
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        assert.equal(received.calls.length, 132);
      },
    },
    {
      id: 'SP3',
      title: 'a group that exists resumes where it stood, whatever comes between',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const first = await t.member('g', topic, before);
        const one = await t.send(messaging, topic, items(40, 8));
        await before.all(one);
        await first.close();
        const two = await t.send(messaging, topic, items(40, 8, 'while-away'));
        await t.member('g', topic, after);
        await after.all(two);
        await t.quiet(messaging, topic, after);
        assert.deepEqual(
          after.ids.filter((id) => one.includes(id)),
          [],
        );
        assert.deepEqual(after.duplicates, []);
      },
    },
    {
      id: 'SP4',
      title: 'a group that is new while messages flow gets each once, old ones first, in the order of their keys',
      needs: ['start-earliest'],
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const all = items(600, 30);
        const old = await t.send(messaging, topic, all.slice(0, 300));
        const received = t.received();
        const flowing = t.send(messaging, topic, all.slice(300));
        await t.member('late', topic, received, 'a', undefined, { startFrom: 'earliest' });
        await received.all([...old, ...(await flowing)]);
        assert.deepEqual(received.duplicates, []);
        const order = new Map<string, number>();
        for (const { key, n } of received.values) {
          assert.ok(n > (order.get(key) ?? -1), `key ${key}: ${n} came after ${order.get(key)}`);
          order.set(key, n);
        }
      },
    },
  ],
);
