import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { assertOrder } from './law-04-groups.js';

/** A handler that takes a moment, a different one each time. */
const jitter = ({ value }: { value: { n: number } }): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, value.n % 4));

export const law06 = law(
  6,
  ['key-order'],
  [
    {
      id: 'OR2',
      title: 'sends that nobody awaits keep the order of the calls',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const ids = await t.send(await t.messaging(), topic, items(1_000, 5));
        await received.all(ids);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'OR3',
      title: '16 keys over two members with 64 handlers each: every key in order, one handler at a time',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await Promise.all(
          ['a', 'b'].map((member) => t.member('g', topic, received, member, jitter, { concurrency: 64 })),
        );
        const ids = await t.send(await t.messaging(), topic, items(800, 16));
        await received.all(ids);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'OR4',
      title: 'different keys are handled at once, up to the concurrency and never beyond it',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        const gate = t.gate();
        const ids = await t.send(messaging, topic, items(40, 40));
        await t.member('g', topic, received, 'a', () => gate.opened, { concurrency: 7 });
        await t.until(() => received.running === 7, '7 handlers at once');
        gate.open();
        await received.all(ids);
        assert.equal(received.mostRunning, 7);
      },
    },
    {
      id: 'OR5',
      title: 'a failing message holds back its own key, in order, and no other',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        let failing = true;
        await t.member('g', topic, received, 'a', ({ value }) => {
          if (failing && value.key === 'bad0' && value.n === 0) throw new Error('not yet');
        });
        const bad = await t.send(messaging, topic, items(5, 1, 'bad'));
        const good = await t.send(messaging, topic, items(60, 20, 'good'));
        await received.all(good);
        const early = received.calls.filter(({ delivery }) => delivery.value.key === 'bad0' && delivery.value.n > 0);
        assert.deepEqual(early, [], 'later messages of the failing key wait');
        failing = false;
        await received.all(bad);
        assertOrder(received);
      },
    },
    {
      id: 'OR11',
      title: 'producers of one messaging and of several keep the order of each key that one of them sends',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const senders = await Promise.all([t.messaging(), t.messaging(), t.messaging()]);
        const sent = await Promise.all(
          senders.map((messaging, i) => t.send(messaging, topic, items(200, 4, `sender-${i}-`))),
        );
        await received.all(sent.flat());
        assertOrder(received);
      },
    },
  ],
);
