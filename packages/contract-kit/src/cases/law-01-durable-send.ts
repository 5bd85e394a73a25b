import assert from 'node:assert/strict';
import { defineTopic } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';

export const law01 = law(
  1,
  ['durable-send'],
  [
    {
      id: 'PB1',
      title: 'a send that resolved reaches a live subscriber once, with equal value, id and time',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const receipt = await messaging.producer().send(topic, { key: 'a', n: 1 }, { time: 1_700_000_000_123 });
        await received.all([receipt.id]);
        await t.quiet(messaging, topic, received);
        const calls = received.of(receipt.id);
        assert.equal(calls.length, 1);
        const {
          value,
          id,
          time,
          attempt,
          redelivered,
          topic: name,
          group,
        } = calls[0]?.delivery ?? assert.fail('no delivery');
        assert.deepEqual(
          { value, id, time, attempt, redelivered, name, group },
          {
            value: { key: 'a', n: 1 },
            id: receipt.id,
            time: 1_700_000_000_123,
            attempt: 1,
            redelivered: false,
            name: topic.name,
            group: 'g',
          },
        );
      },
    },
    {
      id: 'PB2',
      title: '100 messages arrive as the set that was sent: none lost, none twice, none made up',
      async run(t) {
        const topic = t.unkeyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const ids = await t.send(messaging, topic, items(100, 10));
        await t.quiet(messaging, topic, received);
        const sentinels = 32;
        assert.equal(received.calls.length, ids.length + sentinels);
        assert.deepEqual(received.ids.filter((id) => ids.includes(id)).sort(), [...ids].sort());
      },
    },
    {
      id: 'PB3',
      title: 'two topics of one messaging never mix, and each handler sees its own topic’s name',
      async run(t) {
        const messaging = await t.messaging();
        // Names that a careless mapping would make equal.
        const [dots, dashes] = [t.keyed(t.name('a.b.c')), t.keyed(t.name('a-b-c'))];
        const consumer = messaging.consumer({ group: 'g' });
        const [fromDots, fromDashes] = [t.received(), t.received()];
        consumer.subscribe(dots, fromDots.handler());
        consumer.subscribe(dashes, fromDashes.handler());
        await consumer.start();
        const [sentDots, sentDashes] = await Promise.all([
          t.send(messaging, dots, items(20, 5)),
          t.send(messaging, dashes, items(20, 5)),
        ]);
        await Promise.all([fromDots.all(sentDots), fromDashes.all(sentDashes)]);
        assert.deepEqual(new Set(fromDots.ids), new Set(sentDots));
        assert.deepEqual(new Set(fromDashes.ids), new Set(sentDashes));
        assert.deepEqual(new Set(fromDots.calls.map(({ delivery }) => delivery.topic)), new Set([dots.name]));
      },
    },
    {
      id: 'PB5',
      title: 'what is sent to a topic without any group is kept for the first one',
      needs: ['start-earliest'],
      async run(t) {
        const topic = t.keyed();
        const ids = await t.send(await t.messaging(), topic, items(30, 5));
        const received = t.received();
        await t.member('late', topic, received);
        await received.all(ids);
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'PB7',
      title: 'where the broker tells positions, the receipt’s is the delivery’s, and no two messages share one',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const producer = messaging.producer();
        const receipts = await Promise.all(items(20, 4).map((value) => producer.send(topic, value)));
        await received.all(receipts.map(({ id }) => id));
        const told = receipts.filter(({ position }) => position !== undefined);
        assert.equal(new Set(told.map(({ position }) => position)).size, told.length);
        for (const { id, position } of told) assert.equal(received.of(id)[0]?.delivery.position, position);
        for (const { delivery } of received.calls) assert.ok(delivery.position.length > 0);
      },
    },
    {
      id: 'PB8',
      title: 'an id and a type that the sender chose arrive as they are',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const id = `order/42?v=1&x=%20~${t.name('id')}`;
        const receipt = await messaging
          .producer()
          .send(topic, { key: 'a', n: 1 }, { id, type: 'com.example.order+v2' });
        assert.equal(receipt.id, id);
        await received.all([id]);
        assert.equal(received.of(id)[0]?.delivery.type, 'com.example.order+v2');
      },
    },
    {
      id: 'PB15',
      title: 'on a topic without history every group that is there gets everything, also what came while it was away',
      needs: ['no-history'],
      async run(t) {
        const schema = z.object({ key: z.string(), n: z.number() });
        const topic = defineTopic(t.name('lean'), { schema, key: ({ key }) => key, history: 'none' });
        const [one, two, after] = [t.received(), t.received(), t.received()];
        await t.member('one', topic, one);
        const away = await t.member('two', topic, two);
        const messaging = await t.messaging();
        const first = await t.send(messaging, topic, items(20, 4));
        await Promise.all([one.all(first), two.all(first)]);
        await away.close();
        const second = await t.send(messaging, topic, items(20, 4, 'away'));
        await t.member('two', topic, after);
        await Promise.all([one.all(second), after.all(second)]);
        assert.deepEqual([one.duplicates, two.duplicates, after.duplicates], [[], [], []]);
      },
    },
    {
      id: 'PB14',
      title: 'on a topic without history a send that no group gets is UNROUTABLE, and one with a group arrives',
      needs: ['no-history', 'unroutable'],
      async run(t) {
        const topic = defineTopic(t.name('lean'), {
          schema: z.object({ key: z.string(), n: z.number() }),
          key: ({ key }) => key,
          history: 'none',
        });
        const messaging = await t.messaging();
        await assert.rejects(messaging.producer().send(topic, { key: 'a', n: 1 }), {
          code: 'UNROUTABLE',
          retryable: false,
        });
        const received = t.received();
        await t.member('g', topic, received);
        await received.all(await t.send(messaging, topic, items(10, 3)));
      },
    },
  ],
);
