import assert from 'node:assert/strict';
import { bytes, defineTopic, fixed, type MessagingEvent, PermanentError } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';

const never = (): never => {
  throw new PermanentError('never');
};

/** Fails on everything but what {@link CaseContext.quiet} sends. */
const poison = ({ key }: { readonly key: string | undefined }): void => {
  if (key === 'poison') never();
};

export const law08 = law(
  8,
  ['at-least-once', 'redelivery'],
  [
    {
      id: 'DL1',
      title:
        'what is given up is in its dead-letter topic once and settled: nothing is left, a new member gets nothing',
      async run(t) {
        const topic = t.keyed();
        const dead = t.keyed(t.name('dead'));
        const messaging = await t.messaging();
        const [received, letters, after] = [t.received(), t.received(), t.received()];
        const consumer = messaging.consumer({ group: 'g' });
        const options = { retry: { maxAttempts: 2, backoff: fixed(20) }, deadLetter: { topic: dead.name } };
        const fail = ({ key }: { key: string | undefined }): void => {
          if (key === 'poison') throw new Error('no');
        };
        const subscription = consumer.subscribe(topic, received.handler('a', fail), options);
        await consumer.start();
        await t.member('readers', dead, letters);
        const [id = ''] = await t.send(messaging, topic, [{ key: 'poison', n: 1 }]);
        await letters.until(1);
        await t.poll(async () => (await subscription.lag()) === 0, 'the message to be settled');
        await consumer.close();
        await t.member('g', topic, after, 'b');
        await t.quiet(messaging, topic, after);
        await t.quiet(messaging, dead, letters);
        assert.equal(received.of(id).length, 2);
        assert.equal(after.of(id).length, 0);
        assert.equal(letters.values.filter(({ key }) => key === 'poison').length, 1);
      },
    },
    {
      id: 'DL2',
      title: 'a letter has body, key and headers exactly, also of what no schema accepts, without a handler call',
      async run(t) {
        const name = t.name('poison');
        const topic = t.keyed(name);
        const keyOf = (): string => 'ü k';
        const raw = defineTopic(name, { schema: z.instanceof(Uint8Array), codec: bytes(), key: keyOf });
        const dead = defineTopic(t.name('dead'), { schema: z.instanceof(Uint8Array), codec: bytes(), key: keyOf });
        const messaging = await t.messaging();
        const [received, letters] = [t.received(), t.received<Uint8Array>()];
        await t.member('g', topic, received, 'a', undefined, { deadLetter: { topic: dead.name } });
        const readers = messaging.consumer({ group: 'readers' });
        readers.subscribe(dead, letters.handler());
        await readers.start();
        const headers = { plain: 'x', empty: '', unicode: 'ü\u{1f600}\n' };
        const bodies = [Uint8Array.from({ length: 256 }, (_, n) => n), new Uint8Array(0), Buffer.from('{"key":"a"}')];
        const producer = messaging.producer();
        for (const body of bodies) await producer.send(raw, Uint8Array.from(body), { headers });
        await letters.until(3);
        for (const [n, { delivery }] of letters.calls.entries()) {
          assert.deepEqual(Buffer.from(delivery.value), Buffer.from(bodies[n] ?? assert.fail('one too many')));
          const own = Object.entries(delivery.headers).filter(([header]) => !header.startsWith('anymq-dead-letter-'));
          assert.deepEqual(Object.fromEntries(own), headers);
          assert.equal(delivery.key, 'ü k');
        }
        assert.equal(received.calls.length, 0);
      },
    },
    {
      id: 'DL3',
      title: 'a letter says where it came from, how often it was tried, when, and why it was given up',
      async run(t) {
        const topic = t.keyed();
        const dead = t.keyed(t.name('dead'));
        const messaging = await t.messaging();
        const [received, letters] = [t.received(), t.received()];
        const options = { retry: { maxAttempts: 2, backoff: fixed(20) }, deadLetter: { topic: dead.name } };
        const fail = (): never => {
          throw new TypeError('no such order');
        };
        await t.member('g', topic, received, 'a', fail, options);
        await t.member('readers', dead, letters);
        const time = Date.now() - 1_000;
        await messaging.producer().send(topic, { key: 'a', n: 1 }, { id: 'one', time, type: 'kind' });
        await letters.until(1);
        const { delivery } = letters.calls[0] ?? assert.fail('no letter');
        const { headers } = delivery;
        const said = (name: string): string => headers[`anymq-dead-letter-${name}`] ?? assert.fail(`no ${name}`);
        assert.deepEqual(['topic', 'group', 'id', 'attempts', 'error', 'message'].map(said), [
          topic.name,
          'g',
          'one',
          '2',
          'TypeError',
          'no such order',
        ]);
        assert.equal(said('position'), received.calls[0]?.delivery.position);
        assert.match(said('stack'), /^[0-9a-f]{16}$/);
        const [first, last] = [Date.parse(said('first-failed')), Date.parse(said('last-failed'))];
        assert.ok(first <= last && last <= Date.now(), `${first} ${last}`);
        assert.equal(headers['anymq-dead-letter-code'], undefined);
        assert.match(delivery.id, /^dl-[0-9a-f]{32}$/);
        assert.deepEqual({ time: delivery.time, type: delivery.type }, { time, type: 'kind' });
      },
    },
    {
      id: 'DL4',
      title: 'a letter that cannot be written leaves its message unsettled and says so; later it is written',
      needs: ['given-topology'],
      async run(t) {
        const topic = t.keyed();
        const dead = t.keyed(t.name('dead'));
        await (await t.member('g', topic, t.received())).close();
        const checking = await t.messagingOn(t.checking());
        const failed: MessagingEvent[] = [];
        checking.on((event) => {
          if (event.type === 'dead-letter-failed') failed.push(event);
          t.waiter.changed();
        });
        const consumer = checking.consumer({ group: 'g' });
        const subscription = consumer.subscribe(topic, t.received().handler('a', poison), {
          deadLetter: { topic: dead.name },
        });
        await consumer.start();
        const [id = ''] = await t.send(await t.messaging(), topic, [{ key: 'poison', n: 1 }]);
        await t.until(() => failed.length >= 2, 'two tries that fail');
        const [event] = failed;
        assert.ok(event?.type === 'dead-letter-failed');
        const code = (event.error as { code: string }).code;
        assert.deepEqual([event.topic, event.group, event.id, code], [topic.name, 'g', id, 'NOT_FOUND']);
        assert.equal(subscription.inFlight, 1);
        const letters = t.received();
        await t.member('readers', dead, letters);
        await letters.until(1);
        await t.poll(async () => (await subscription.lag()) === 0, 'the message to be settled');
      },
    },
    {
      id: 'DL11',
      title: "with deadLetter 'none' what is given up is settled, with an event",
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const discarded: unknown[] = [];
        messaging.on((event) => {
          if (event.type === 'discarded') discarded.push([event.topic, event.group, event.id, event.attempts]);
          t.waiter.changed();
        });
        const consumer = messaging.consumer({ group: 'g' });
        const subscription = consumer.subscribe(topic, received.handler('a', poison), { deadLetter: 'none' });
        await consumer.start();
        const [id = ''] = await t.send(messaging, topic, [{ key: 'poison', n: 1 }]);
        await t.until(() => discarded.length > 0, 'the event');
        await t.poll(async () => (await subscription.lag()) === 0, 'the message to be settled');
        await t.quiet(messaging, topic, received);
        assert.deepEqual(discarded, [[topic.name, 'g', id, 1]]);
        assert.equal(received.of(id).length, 1);
      },
    },
  ],
);
