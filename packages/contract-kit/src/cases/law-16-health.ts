import assert from 'node:assert/strict';
import { CAPABILITY_IDS } from '@anymq/core/adapter';
import { law } from '../case.js';
import { items } from '../context.js';

export const law16 = law(
  16,
  [],
  [
    {
      id: 'HE1',
      title: 'health tells an idle, then an answering broker, and each subscription',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        assert.deepEqual((await messaging.health()).brokers.main?.state, 'idle');
        await messaging.connect();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, () => {});
        await consumer.start();
        const { live, ready, brokers, subscriptions } = await messaging.health();
        assert.deepEqual({ live, ready, state: brokers.main?.state }, { live: true, ready: true, state: 'up' });
        assert.ok((brokers.main?.latencyMs ?? -1) >= 0);
        assert.deepEqual(
          subscriptions.map(({ topic: name, group, state, inFlight }) => ({ name, group, state, inFlight })),
          [{ name: topic.name, group: 'g', state: 'running', inFlight: 0 }],
        );
        await messaging.close();
        assert.deepEqual(
          { live: (await messaging.health()).live, ready: (await messaging.health()).ready },
          { live: false, ready: false },
        );
      },
    },
    {
      id: 'AD4',
      title: 'in a quiet system the lag is what was sent and not settled',
      needs: ['lag'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const gate = t.gate();
        const consumer = messaging.consumer({ group: 'g' });
        const subscription = consumer.subscribe(
          topic,
          received.handler('a', () => gate.opened),
          { concurrency: 2, maxInFlight: 2 },
        );
        await consumer.start();
        await t.poll(async () => (await subscription.lag()) === 0, 'a lag of 0 before anything was sent');
        await t.send(messaging, topic, items(30, 30));
        await received.until(2);
        // What is handled right now may count or not: brokers differ in what they tell.
        await t.poll(async () => [28, 29, 30].includes(await subscription.lag()), 'a lag of 28 to 30');
        gate.open();
        await received.until(30);
        await t.poll(async () => (await subscription.lag()) === 0, 'a lag of 0 after everything was settled');
      },
    },
    {
      id: 'CP3',
      title: 'the adapter declares every row of the capability table with a note, and limits that are real numbers',
      async run(t) {
        const { rows, limits } = t.capabilities;
        assert.deepEqual(Object.keys(rows).sort(), [...CAPABILITY_IDS].sort());
        for (const [id, { level, note }] of Object.entries(rows)) {
          assert.ok(['native', 'emulated', 'unsupported'].includes(level), id);
          assert.ok(note.length > 10, `${id} has no note`);
        }
        for (const [name, limit] of Object.entries(limits)) assert.ok(Number.isSafeInteger(limit) && limit > 0, name);
        assert.ok(
          Object.isFrozen(t.capabilities) && Object.isFrozen(rows) && Object.isFrozen(limits),
          'capabilities are frozen',
        );
      },
    },
    {
      id: 'OB5',
      title: 'describe tells brokers, routes and subscriptions, and native gives the broker’s client once connected',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        messaging.consumer({ group: 'g' }).subscribe(topic, () => {});
        const { default: main, namespace, brokers, subscriptions } = messaging.describe();
        assert.deepEqual({ main, namespace }, { main: 'main', namespace: t.namespace });
        assert.equal(brokers.main?.capabilities.limits.maxBodyBytes, t.capabilities.limits.maxBodyBytes);
        assert.ok((brokers.main?.address.length ?? 0) > 0);
        assert.deepEqual(subscriptions, [{ topic: topic.name, group: 'g', broker: 'main' }]);
        await messaging.connect();
        assert.equal(typeof messaging.native<object>(), 'object');
      },
    },
  ],
);
