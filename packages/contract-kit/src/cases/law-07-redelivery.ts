import assert from 'node:assert/strict';
import { ack, defineTopic, type Outcome, retry, text } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';
import { eventsOf, listed, told, toldOf } from './giving-up.js';

export const law07 = law(
  7,
  ['redelivery'],
  [
    {
      id: 'AK2',
      title: 'a handler that fails sees the message again within some seconds, attempts counted from 1',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received, 'a', ({ attempt }) => {
          if (attempt < 3) throw new Error(`attempt ${attempt}`);
        });
        const [id = ''] = await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        const begin = performance.now();
        await t.until(() => received.of(id).length === 3, 'three calls');
        assert.ok(performance.now() - begin < 15_000, 'within some seconds');
        await t.quiet(messaging, topic, received);
        assert.deepEqual(
          received.of(id).map(({ delivery }) => delivery.attempt),
          [1, 2, 3],
        );
        assert.deepEqual(
          received.of(id).map(({ delivery }) => delivery.redelivered),
          [false, true, true],
        );
      },
    },
    {
      id: 'CO7',
      title: 'a synchronous throw, a rejection, a thrown non-error and retry() are treated alike',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const errors: unknown[] = [];
        messaging.on((event) => {
          if (event.type === 'handler-failed') errors.push(event.error);
        });
        const consumer = messaging.consumer({ group: 'g' });
        const fail = [
          () => {
            throw new Error('synchronous');
          },
          () => Promise.reject(new Error('rejected')),
          () => {
            throw 'a string';
          },
          () => retry({ reason: 'asked' }),
        ];
        consumer.subscribe(topic, (delivery) => {
          void received.handler()(delivery);
          return delivery.attempt === 1 ? fail[delivery.value.n]?.() : undefined;
        });
        await consumer.start();
        const ids = await t.send(messaging, topic, items(4, 4));
        await t.until(() => ids.every((id) => received.of(id).length === 2), 'two calls for each');
        for (const id of ids)
          assert.deepEqual(
            received.of(id).map(({ delivery }) => delivery.attempt),
            [1, 2],
          );
        assert.deepEqual(errors.map((error) => (error instanceof Error ? error.message : error)).sort(), [
          'a string',
          'asked',
          'rejected',
          'synchronous',
        ]);
      },
    },
    {
      id: 'AK10',
      title:
        'a message that failed and whose consumer left comes to the next one as redelivered, its attempts counted on',
      needs: ['attempts-survive'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const first = await t.member('g', topic, before, 'a', () => {
          throw new Error('never here');
        });
        const [id = ''] = await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        await t.until(() => before.of(id).length >= 2, 'two failed calls');
        await first.close();
        const failed = before.of(id).length;
        await t.member('g', topic, after, 'b');
        await after.all([id]);
        const { attempt, redelivered } = after.of(id)[0]?.delivery ?? assert.fail('no delivery');
        assert.deepEqual({ attempt, redelivered }, { attempt: failed + 1, redelivered: true });
      },
    },
    {
      id: 'AK17',
      title: 'what a leaving consumer had and never handled comes to the next one with attempt 1',
      needs: ['attempts-survive'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const gate = t.gate();
        const first = await t.member('g', topic, before, 'a', () => gate.opened, { concurrency: 1 });
        const ids = await t.send(messaging, topic, items(20, 4));
        await before.until(1);
        const left = first.close();
        gate.open();
        await left;
        const handled = new Set(before.ids);
        await t.member('g', topic, after, 'b');
        await after.all(ids.filter((id) => !handled.has(id)));
        assert.deepEqual([...new Set(after.calls.map(({ delivery }) => delivery.attempt))], [1]);
        assert.deepEqual(
          after.ids.filter((id) => handled.has(id)),
          [],
        );
      },
    },
    {
      id: 'AK14',
      title: 'while a message waits to be tried again, no other member of the group gets it',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        let fail = true;
        const work = (): void => {
          if (fail) throw new Error('not yet');
        };
        await Promise.all(['a', 'b'].map((member) => t.member('g', topic, received, member, work)));
        const ids = await t.send(messaging, topic, items(6, 6));
        await t.until(() => ids.every((id) => received.of(id).length >= 2), 'two calls for each');
        fail = false;
        await received.all(ids);
        for (const id of ids) {
          const attempts = received.of(id).map(({ delivery }) => delivery.attempt);
          assert.deepEqual(
            attempts,
            attempts.map((_, i) => i + 1),
            `attempts of ${id} have no gap and no repetition`,
          );
        }
      },
    },
    {
      id: 'PF15',
      title:
        'a body that cannot be read, or that the schema refuses, is given up at once: it reaches no handler, blocks nobody and is kept',
      needs: ['dead-letters'],
      async run(t) {
        const name = t.name('poison');
        const topic = t.unkeyed(name);
        const raw = defineTopic(name, { schema: z.string(), codec: text() });
        const messaging = await t.messaging();
        const received = t.received();
        const events = eventsOf(t, messaging);
        const consumer = messaging.consumer({ group: 'g' });
        const subscription = consumer.subscribe(topic, received.handler());
        await consumer.start();
        const producer = messaging.producer();
        const broken = await producer.send(raw, '{"key":');
        const refused = await producer.send(raw, '{"key":"a","n":"no number"}');
        const good = await t.send(messaging, topic, items(30, 6));
        await received.all(good);
        await toldOf(t, events, 'dead-lettered', [broken.id, refused.id]);
        await t.poll(async () => (await subscription.lag()) === 0, 'everything to be settled');
        const letters = await listed(messaging.deadLetters(topic, { group: 'g' }));
        const codes = new Map(letters.map(({ messageId, cause }) => [messageId, cause.code]));
        assert.equal(letters.length, 2);
        assert.deepEqual([codes.get(broken.id), codes.get(refused.id)], ['DECODING_FAILED', 'INVALID_VALUE']);
        assert.deepEqual(told(events, 'handler-failed'), []);
        assert.deepEqual(
          received.ids.filter((id) => id === broken.id || id === refused.id),
          [],
        );
      },
    },
    {
      id: 'CP4',
      title: 'one script of outcomes gives one list of calls, whatever the engine, and afterwards nothing comes again',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        const script: Readonly<Record<string, () => unknown>> = {
          '1:1': () => undefined,
          '2:1': () => Promise.reject(new Error('not yet')),
          '2:2': () => ack(),
          '3:1': () => retry({ reason: new Error('later') }),
          '3:2': () => ack(),
          '4:1': () => {
            throw 'no error at all';
          },
          '4:2': () => undefined,
          '5:1': () => ack(),
        };
        const called: string[] = [];
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, async (delivery) => {
          void received.handler()(delivery);
          const call = `${delivery.value.n}:${delivery.attempt}`;
          if (delivery.key === 'a') called.push(`${call}${delivery.redelivered ? ' again' : ''}`);
          return (await script[call]?.()) as Outcome | undefined;
        });
        await consumer.start();
        const one = (n: number) => ({ key: 'a', n });
        await t.send(messaging, topic, [1, 2, 3, 4, 5].map(one));
        await t.until(() => called.length >= 8, 'eight calls');
        await t.quiet(messaging, topic, received);
        assert.deepEqual(called, ['1:1', '2:1', '2:2 again', '3:1', '3:2 again', '4:1', '4:2 again', '5:1']);
        await consumer.close();
        const next = t.received();
        await t.member('g', topic, next, 'b');
        await t.quiet(messaging, topic, next);
        assert.deepEqual(
          next.values.filter(({ key }) => key === 'a'),
          [],
        );
      },
    },
  ],
);
