import assert from 'node:assert/strict';
import type { Consumer } from '@anymq/core';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import { grown, leftOver } from '../leaks/count.js';
import type { Received } from '../received.js';
import { assertOrder } from './law-04-groups.js';

/** An instance that gets everything, as a process of its own. */
async function instance(
  t: CaseContext,
  topic: ReturnType<CaseContext['keyed']>,
  received: Received<Item>,
  work?: Parameters<Received<Item>['handler']>[1],
): Promise<Consumer> {
  const consumer = (await t.messaging()).consumer({ group: 'view', broadcast: true });
  consumer.subscribe(topic, received.handler('a', work));
  await consumer.start();
  return consumer;
}

export const law04broadcast = law(
  4,
  ['broadcast'],
  [
    {
      id: 'BC1',
      title: 'each of three broadcast consumers gets every message once, keys in order',
      async run(t) {
        const topic = t.keyed();
        const all = [t.received(), t.received(), t.received()];
        await Promise.all(all.map((received) => instance(t, topic, received)));
        const ids = await t.send(await t.messaging(), topic, items(200, 12));
        for (const received of all) {
          await received.all(ids);
          assertOrder(received);
          assert.deepEqual(received.duplicates, []);
          assert.deepEqual([...new Set(received.calls.map(({ delivery }) => delivery.group))], ['view']);
        }
      },
    },
    {
      id: 'BC2',
      title:
        'a broadcast consumer gets all that is sent after its start and nothing older, also under a name used before',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [early, late] = [t.received(), t.received()];
        const first = await instance(t, topic, early);
        await early.all(await t.send(messaging, topic, items(20, 5, 'before')));
        await first.close();
        await t.send(messaging, topic, items(20, 5, 'between'));
        await instance(t, topic, late);
        const ids = await t.send(messaging, topic, items(20, 5, 'after'));
        await late.all(ids);
        await t.quiet(messaging, topic, late);
        assert.deepEqual(late.ids.slice(0, 20).sort(), [...ids].sort());
      },
    },
    {
      id: 'BC3',
      title: 'what fails in one broadcast consumer comes again to it alone',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [failing, well] = [t.received(), t.received()];
        await instance(t, topic, failing, ({ attempt }) => {
          if (attempt === 1) throw new Error('not yet');
        });
        await instance(t, topic, well);
        const ids = await t.send(messaging, topic, items(5, 5));
        await failing.until(10);
        await t.quiet(messaging, topic, well);
        for (const id of ids) {
          const attempts = failing.of(id).map(({ delivery }) => delivery.attempt);
          assert.deepEqual(attempts, [1, 2]);
          assert.equal(well.of(id).length, 1);
        }
      },
    },
    {
      id: 'BC4',
      title: 'what a broadcast consumer has on the broker is gone when it has closed: its group, its queue, itself',
      needs: ['network'],
      alone: true,
      timeoutMs: 150_000,
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const view = async (): Promise<Consumer> => {
          const received = t.received();
          const consumer = await instance(t, topic, received);
          await received.all(await t.send(messaging, topic, items(10, 5)));
          return consumer;
        };
        await (await view()).close();
        const before = await t.footprint();
        const several = await Promise.all([view(), view()]);
        assert.ok(grown(before, await t.footprint()).length > 0, 'a consumer that is there is not counted');
        await Promise.all(several.map((consumer) => consumer.close()));
        await t.close();
        assert.deepEqual(await leftOver(before, () => t.footprint()), []);
      },
    },
    {
      id: 'BC5',
      title: 'a broadcast consumer and a group on one topic do not take from each other',
      async run(t) {
        const topic = t.keyed();
        const [view, one, two] = [t.received(), t.received(), t.received()];
        await instance(t, topic, view);
        await t.member('view', topic, one, 'a');
        await t.member('view', topic, two, 'b');
        const ids = await t.send(await t.messaging(), topic, items(120, 30));
        await view.all(ids);
        await t.oneOf(ids, one, two);
        assert.equal(one.calls.length + two.calls.length, ids.length);
        assert.deepEqual(view.duplicates, []);
      },
    },
    {
      id: 'BC6',
      title: 'a broadcast consumer that begins with the past, or with a name too long, is refused before the network',
      async run(t) {
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'view', broadcast: true });
        const refused = { code: 'INVALID_ARGUMENT' };
        assert.throws(() => consumer.subscribe(t.keyed(), () => {}, { startFrom: 'earliest' }), refused);
        assert.throws(() => messaging.consumer({ group: 'x'.repeat(51), broadcast: true }), refused);
        assert.throws(() => messaging.consumer({ group: 'view', broadcast: 'yes' as never }), refused);
        assert.equal((await messaging.health()).brokers.main?.state, 'idle');
      },
    },
    {
      id: 'BC7',
      title: 'a broadcast consumer that is cut off for a moment misses nothing',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: 120_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        const consumer = (await t.messagingOn(outage.configure())).consumer({ group: 'view', broadcast: true });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        const direct = await t.messaging();
        const before = await t.send(direct, topic, items(20, 5));
        await received.all(before);
        outage.begin();
        const during = await t.send(direct, topic, items(20, 5, 'during'));
        outage.end();
        const after = await t.send(direct, topic, items(20, 5, 'after'));
        await received.all([...during, ...after]);
        assertOrder(received);
      },
    },
  ],
);
