import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { assertOrder } from './law-04-groups.js';

export const law03volume = law(
  3,
  ['at-least-once'],
  [
    {
      id: 'AK18',
      title: '2,000 messages of 50 keys over two members: none lost, none twice, none made up, each key in order',
      needs: ['key-order'],
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await Promise.all(['a', 'b'].map((member) => t.member('g', topic, received, member)));
        const messaging = await t.messaging();
        const ids = await t.send(messaging, topic, items(2_000, 50));
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
        assert.equal(received.calls.length, 2_000 + 32);
      },
    },
  ],
);
