import assert from 'node:assert/strict';
import { defineTopic } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';

export const law14 = law(
  14,
  ['backpressure'],
  [
    {
      id: 'BP1',
      title: 'unsettled deliveries never exceed maxInFlight, with a backlog behind them',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const ids = await t.send(messaging, topic, items(300, 100));
        const received = t.received();
        const consumer = (await t.messaging()).consumer({ group: 'g' });
        let most = 0;
        const subscription = consumer.subscribe(
          topic,
          received.handler('a', () => {
            most = Math.max(most, subscription.inFlight);
          }),
          { maxInFlight: 10, concurrency: 5 },
        );
        await consumer.start();
        await received.all(ids);
        assert.ok(most <= 10, `${most} were in flight`);
        assert.ok(received.mostRunning <= 5, `${received.mostRunning} handlers at once`);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'BP8',
      title:
        'the bytes of unsettled deliveries never exceed maxInFlightBytes; a message larger than that is handled alone',
      async run(t) {
        const schema = z.object({ key: z.string(), filler: z.string() });
        const topic = defineTopic(t.name('sizes'), { schema, key: ({ key }) => key });
        const received = t.received<z.infer<typeof schema>>();
        const messaging = await t.messaging();
        const producer = messaging.producer();
        const sizes = Array.from({ length: 200 }, (_, i) => (i % 40 === 20 ? 70_000 : 500 + ((i * 7_919) % 15_000)));
        const receipts = await Promise.all(
          sizes.map((size, i) => producer.send(topic, { key: `k${i % 50}`, filler: 'x'.repeat(size) })),
        );
        const consumer = (await t.messaging()).consumer({ group: 'g' });
        let mostOfMany = 0;
        const subscription = consumer.subscribe(
          topic,
          received.handler('a', () => {
            if (subscription.inFlight > 1) mostOfMany = Math.max(mostOfMany, subscription.inFlightBytes);
            return new Promise((resolve) => setImmediate(resolve));
          }),
          { maxInFlightBytes: 50_000 },
        );
        await consumer.start();
        await received.all(receipts.map(({ id }) => id));
        assert.ok(mostOfMany > 0 && mostOfMany <= 50_000, `${mostOfMany} bytes were in flight`);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'BP3',
      title: 'pause stops handlers, resume goes on: nothing lost, nothing twice, membership kept',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const consumer = await t.member('g', topic, received);
        const before = await t.send(messaging, topic, items(50, 10));
        await received.all(before);
        consumer.pause();
        const calls = received.calls.length;
        const during = await t.send(messaging, topic, items(200, 20, 'paused'));
        // Another group has everything meanwhile: it had its time.
        const other = t.received();
        await t.member('other', topic, other);
        await other.all(during);
        assert.equal(received.calls.length, calls);
        consumer.resume();
        await received.all(during);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'BP10',
      title: 'a producer’s bounded buffer makes sends wait and lets all through',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const producer = messaging.producer({ maxBuffered: 7, maxBufferedBytes: 1_024 });
        const receipts = await Promise.all(items(300, 10).map((value) => producer.send(topic, value)));
        await received.all(receipts.map(({ id }) => id));
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);
