import assert from 'node:assert/strict';
import { ack, defineTopic, retry } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';
import { assertOrder } from './law-04-groups.js';

const bulky = z.object({ key: z.string(), n: z.number(), filler: z.string() });

export const law12 = law(
  12,
  ['batch'],
  [
    {
      id: 'BA1',
      title: 'everything of a sendBatch arrives, keys in the order of the items',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const { results, failed } = await messaging.producer().sendBatch(
          topic,
          items(500, 9).map((value) => ({ value })),
        );
        assert.equal(failed, 0);
        const ids = results.map((result) => (result.status === 'sent' ? result.receipt.id : assert.fail('not sent')));
        await received.all(ids);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'BA3',
      title: 'a batch far above what a broker takes in one write arrives whole, keys in the order of the items',
      async run(t) {
        const topic = defineTopic(t.name('large-batch'), { schema: bulky, key: ({ key }) => key });
        const received = t.received<z.infer<typeof bulky>>();
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        const batch = items(2_000, 7).map((item) => ({ value: { ...item, filler: 'x'.repeat(2_000) } }));
        const { results, failed } = await messaging.producer().sendBatch(topic, batch);
        assert.equal(failed, 0);
        await received.all(results.flatMap((result) => (result.status === 'sent' ? result.receipt.id : [])));
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'BA2',
      title: 'sendBatch reports each item: bad ones fail with their code, good ones arrive once',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const good = { key: 'a', n: 1 };
        const { results, failed } = await messaging
          .producer()
          .sendBatch(topic, [
            { value: good },
            { value: { key: 'a', n: 'x' as never } },
            { value: good, id: 'has space' },
            { value: { key: '', n: 1 } },
            { value: good },
          ]);
        const codes = results.map((result) =>
          result.status === 'sent' ? 'sent' : (result.error as Error & { code: string }).code,
        );
        assert.deepEqual(codes, ['sent', 'INVALID_VALUE', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'sent']);
        assert.equal(failed, 3);
        await t.quiet(messaging, topic, received);
        assert.equal(received.calls.length, 2 + 32);
      },
    },
    {
      id: 'BA4',
      title: 'a batch handler gets 1 to size messages, full batches under load, the rest within maxWaitMs',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const ids = await t.send(messaging, topic, items(130, 13));
        const received = t.received();
        const sizes: number[] = [];
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          (deliveries) => {
            sizes.push(deliveries.length);
            received.batch(deliveries);
          },
          { batch: { size: 50, maxWaitMs: 500 } },
        );
        await consumer.start();
        await received.all(ids);
        assert.ok(
          sizes.every((size) => size >= 1 && size <= 50),
          String(sizes),
        );
        assert.ok(sizes.length <= 10, `130 messages came in ${sizes.length} batches`);
        assert.deepEqual(received.duplicates, []);
        const lone = await t.send(messaging, topic, [{ key: 'lone', n: 0 }]);
        await received.all(lone);
      },
    },
    {
      id: 'BA6',
      title: 'one failing item of a batch comes again alone; a handler that throws gets all again, keys in order',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          (deliveries) => {
            received.batch(deliveries);
            if (deliveries.some(({ value, attempt }) => value.key === 'thrown0' && attempt === 1))
              throw new Error('all');
            return deliveries.map(({ value, attempt }) =>
              value.n === 3 && attempt === 1 ? retry({ reason: 'one' }) : ack(),
            );
          },
          { batch: { size: 6, maxWaitMs: 300 } },
        );
        await consumer.start();
        const single = await t.send(messaging, topic, items(6, 6));
        await t.until(() => received.of(single[3] ?? '').length === 2, 'the failed item again');
        assert.deepEqual(
          single.map((id) => received.of(id).length),
          [1, 1, 1, 2, 1, 1],
        );
        const thrown = await t.send(messaging, topic, items(4, 1, 'thrown'));
        await t.until(() => thrown.every((id) => received.of(id).length >= 2), 'all of the thrown batch again');
        const again = received.calls
          .map(({ delivery }) => delivery)
          .filter(({ value, attempt }) => value.key === 'thrown0' && attempt === 2);
        assert.deepEqual(
          again.map(({ value }) => value.n),
          [0, 1, 2, 3].slice(0, again.length),
        );
      },
    },
  ],
);
