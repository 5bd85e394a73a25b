import assert from 'node:assert/strict';
import { type DeduplicationStore, memoryDeduplicationStore } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';

/** A store that can be away. */
function unsteady(store: DeduplicationStore): DeduplicationStore & { away: boolean; asked: number } {
  const use = <T>(call: () => Promise<T>): Promise<T> => (own.away ? Promise.reject(new Error('away')) : call());
  const own = {
    away: false,
    asked: 0,
    seen: (scope: string, ids: readonly string[]) => {
      own.asked += 1;
      return use(() => store.seen(scope, ids));
    },
    record: (scope: string, ids: readonly string[]) => use(() => store.record(scope, ids)),
  };
  return own;
}

export const law03deduplication = law(
  3,
  ['at-least-once'],
  [
    {
      id: 'DD1',
      title:
        'with a deduplication store a group handles each id once, the copies are acknowledged; a group without handles all',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const suppressed: string[] = [];
        messaging.on((event) => {
          if (event.type === 'duplicate-suppressed') suppressed.push(event.id);
        });
        const [once, all] = [t.received(), t.received()];
        const consumer = messaging.consumer({ group: 'once' });
        const subscription = consumer.subscribe(topic, once.handler(), { deduplicate: memoryDeduplicationStore() });
        await consumer.start();
        await t.member('all', topic, all);
        const producer = messaging.producer();
        for (const id of ['a', 'b', 'a', 'c', 'b', 'a']) await producer.send(topic, { key: id, n: 1 }, { id });
        await all.until(6);
        await t.quiet(messaging, topic, once);
        assert.deepEqual(once.ids.filter((id) => id.length === 1).sort(), ['a', 'b', 'c']);
        assert.deepEqual(suppressed.sort(), ['a', 'a', 'b']);
        await t.poll(async () => (await subscription.lag()) === 0, 'the copies to be settled');
      },
    },
    {
      id: 'DD2',
      title: 'what failed is not recorded: it is handled again, and only then are its copies suppressed',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const fail = ({ attempt }: { attempt: number }): void => {
          if (attempt === 1) throw new Error('the first time');
        };
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler('a', fail), { deduplicate: memoryDeduplicationStore() });
        await consumer.start();
        const producer = messaging.producer();
        for (let n = 0; n < 2; n++) await producer.send(topic, { key: 'k', n }, { id: 'same' });
        await producer.send(topic, { key: 'k', n: 2 }, { id: 'last' });
        await received.until(4);
        assert.deepEqual(
          received.calls.map(({ delivery }) => `${delivery.id} ${delivery.value.n} ${delivery.attempt}`),
          ['same 0 1', 'same 0 2', 'last 2 1', 'last 2 2'],
        );
      },
    },
    {
      id: 'DD3',
      title: 'a shared store lasts beyond the member: who comes next handles no copy of what was handled before',
      async run(t) {
        const topic = t.unkeyed();
        const messaging = await t.messaging();
        const deduplicate = memoryDeduplicationStore();
        const [before, after] = [t.received(), t.received()];
        const ids = Array.from({ length: 20 }, (_, n) => `id-${n}`);
        const producer = messaging.producer();
        const sendAll = () => Promise.all(ids.map((id, n) => producer.send(topic, { key: `k${n}`, n }, { id })));
        const first = messaging.consumer({ group: 'g' });
        first.subscribe(topic, before.handler(), { deduplicate });
        await first.start();
        // Twice at once: copies that are here together.
        await Promise.all([sendAll(), sendAll()]);
        await before.all(ids);
        await first.close();
        const second = (await t.messaging()).consumer({ group: 'g' });
        second.subscribe(topic, after.handler(), { deduplicate });
        await second.start();
        await sendAll();
        await t.quiet(messaging, topic, after);
        assert.deepEqual(before.duplicates, []);
        assert.deepEqual(
          after.ids.filter((id) => ids.includes(id)),
          [],
        );
      },
    },
    {
      id: 'DD4',
      title: 'a store that is away holds messages back without counting attempts; none is lost, in batches too',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const store = unsteady(memoryDeduplicationStore());
        store.away = true;
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, (deliveries) => received.batch(deliveries), {
          deduplicate: store,
          batch: { size: 10, maxWaitMs: 20 },
        });
        await consumer.start();
        const ids = await t.send(messaging, topic, items(40, 8));
        await t.poll(async () => store.asked > 0, 'a question to the store');
        assert.equal(received.calls.length, 0);
        store.away = false;
        await received.all(ids);
        assert.deepEqual(received.duplicates, []);
        assert.ok(received.calls.every(({ delivery }) => delivery.attempt === 1));
      },
    },
  ],
);
