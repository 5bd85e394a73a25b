import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';

export const law01subscribers = law(
  1,
  ['durable-send'],
  [
    {
      id: 'PB11',
      title: 'a consumer of an empty topic is quiet and ready, and gets the first message there ever is',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const events: string[] = [];
        messaging.on(({ type }) => void (type !== 'connection' && events.push(type)));
        const consumer = messaging.consumer({ group: 'g' });
        const subscription = consumer.subscribe(topic, received.handler());
        await consumer.start();
        await t.later(500);
        const { ready, subscriptions } = await messaging.health();
        assert.deepEqual([ready, subscriptions[0]?.state, received.calls.length], [true, 'running', 0]);
        await received.all(await t.send(messaging, topic, items(1, 1)));
        assert.deepEqual([received.calls.length, events, subscription.state], [1, [], 'running']);
      },
    },
    {
      id: 'PB12',
      title: 'a group whose consumer was closed goes on with a new one of the same messaging, again and again',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        for (let round = 0; round < 3; round++) {
          const consumer = messaging.consumer({ group: 'g' });
          consumer.subscribe(topic, received.handler(`round-${round}`));
          await consumer.start();
          const ids = await t.send(messaging, topic, items(20, 5, `round-${round}-`));
          await received.all(ids);
          await consumer.close();
          assert.deepEqual(
            received
              .by(`round-${round}`)
              .map(({ delivery }) => delivery.id)
              .sort(),
            [...ids].sort(),
          );
        }
      },
    },
    {
      id: 'CO9',
      title: '25 subscriptions of one messaging: all open, each gets its own messages, all close',
      timeoutMs: 90_000,
      async run(t) {
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'g' });
        const topics = Array.from({ length: 25 }, () => t.unkeyed());
        const received = topics.map((topic) => {
          const one = t.received();
          consumer.subscribe(topic, one.handler());
          return one;
        });
        await consumer.start();
        const sent = await Promise.all(topics.map((topic) => t.send(messaging, topic, items(4, 2))));
        await Promise.all(sent.map((ids, i) => received[i]?.all(ids)));
        for (const [i, ids] of sent.entries()) assert.deepEqual([...(received[i]?.ids ?? [])].sort(), [...ids].sort());
        await messaging.close();
        assert.equal((await messaging.health()).live, false);
      },
    },
  ],
);
