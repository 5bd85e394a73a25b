import assert from 'node:assert/strict';
import { bytes, type DeadLetter, deadLetter, defineTopic, fixed, PermanentError } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';
import { givenUp, giveUp, lettersOf, listed, messageIds, told, toldOf, worker } from './giving-up.js';

const keyOf = (): string => 'ü k/\u{1f600}';
const headers = { plain: 'x', empty: '', unicode: 'ü\u{1f600}\n', 'a.b-c_d': '1' };

class StockError extends Error {
  override readonly name = 'StockError';
  readonly code = 'E_STOCK';
}

/** Fails like a service does: with a class of its own, a code, and a message that is far too long. */
function outOfStock({ key }: { readonly key: string | undefined }): void {
  if (!key?.startsWith('sentinel')) throw new StockError(`none left ${'x'.repeat(2_000)}`);
}

const theOnly = (letters: readonly DeadLetter[]): DeadLetter => {
  assert.equal(letters.length, 1, 'letters of one message');
  return letters[0] ?? assert.fail('no letter');
};

export const law08kept = law(
  8,
  ['at-least-once', 'redelivery', 'dead-letters'],
  [
    {
      id: 'DL13',
      title:
        'without deadLetter the group keeps what it gives up: one letter, its source settled, a new member gets nothing',
      async run(t) {
        const topic = t.keyed();
        const work = ({ key }: { key: string | undefined }): void => {
          if (key === 'poison') throw new Error('no');
        };
        const options = { retry: { maxAttempts: 2, backoff: fixed(20) } };
        const { messaging, subscription, consumer, received, events } = await worker(t, topic, { work, options });
        const [id = ''] = await t.send(messaging, topic, [{ key: 'poison', n: 1 }]);
        await toldOf(t, events, 'dead-lettered', [id]);
        await t.poll(async () => (await subscription.lag()) === 0, 'the message to be settled');
        await consumer.close();
        const after = await worker(t, topic);
        await t.quiet(messaging, topic, after.received);
        assert.deepEqual([received.of(id).length, after.received.of(id).length], [2, 0]);
        const [event, ...more] = told(events, 'dead-lettered');
        assert.deepEqual([event?.topic, event?.group, event?.id, event?.attempts], [topic.name, 'g', id, 2]);
        assert.deepEqual(more, []);
        const letter = theOnly(await listed(await lettersOf(t, topic)));
        assert.deepEqual([letter.messageId, letter.attempts, letter.cycles], [id, 2, 0]);
      },
    },
    {
      id: 'DL14',
      title: 'a kept letter says where its message came from, how often and when it was tried, and why it was given up',
      async run(t) {
        const topic = t.keyed();
        const options = { retry: { maxAttempts: 2, backoff: fixed(20) } };
        const { messaging, received, events } = await worker(t, topic, { work: outOfStock, options });
        const time = Date.now() - 5_000;
        const begin = Date.now();
        const producer = messaging.producer();
        await producer.send(topic, { key: 'a', n: 1 }, { id: 'one', time, type: 'kind', headers });
        await producer.send(topic, { key: 'b', n: 2 }, { id: 'two' });
        await toldOf(t, events, 'dead-lettered', ['one', 'two']);
        const letters = await listed(await lettersOf(t, topic));
        assert.deepEqual(messageIds(letters).sort(), ['one', 'two']);
        const [one, two] = ['one', 'two'].map(
          (id) => letters.find(({ messageId }) => messageId === id) ?? assert.fail(id),
        );
        assert.ok(one !== undefined && two !== undefined);
        const { id, body, firstFailedAt, lastFailedAt, cause, ...facts } = one;
        assert.deepEqual(facts, {
          topic: topic.name,
          group: 'g',
          messageId: 'one',
          key: 'a',
          type: 'kind',
          contentType: 'application/json',
          time,
          headers,
          position: received.of('one')[0]?.delivery.position,
          attempts: 2,
          cycles: 0,
        });
        assert.match(id, /^dl-[0-9a-f]{32}$/);
        assert.notEqual(id, two.id);
        assert.deepEqual(JSON.parse(Buffer.from(body).toString()), { key: 'a', n: 1 });
        assert.ok(begin <= firstFailedAt && firstFailedAt + 20 <= lastFailedAt && lastFailedAt <= Date.now());
        assert.deepEqual([cause.code, cause.error], ['E_STOCK', 'StockError']);
        assert.equal(cause.message, `none left ${'x'.repeat(2_000)}`.slice(0, 500));
        assert.match(cause.stack ?? '', /^[0-9a-f]{16}$/);
        assert.equal(two.cause.stack, cause.stack, 'what failed at one place has one stack hash');
      },
    },
    {
      id: 'DL15',
      title: 'what cannot be read is a letter at once, bit by bit as it was and with its code, without a handler call',
      async run(t) {
        const name = t.name('poison');
        const topic = t.keyed(name);
        const raw = defineTopic(name, { schema: z.instanceof(Uint8Array), codec: bytes(), key: keyOf });
        const { messaging, received, events } = await worker(t, topic);
        const bodies = [
          Uint8Array.from({ length: 256 }, (_, n) => n),
          new Uint8Array(0),
          Uint8Array.from(Buffer.from('{"key":"a","n":"no number"}')),
        ];
        const producer = messaging.producer();
        for (const [n, body] of bodies.entries()) await producer.send(raw, body, { id: `body-${n}`, headers });
        await toldOf(t, events, 'dead-lettered', ['body-0', 'body-1', 'body-2']);
        await t.quiet(messaging, topic, received);
        const letters = await listed(await lettersOf(t, topic));
        assert.deepEqual(messageIds(letters), ['body-0', 'body-1', 'body-2']);
        for (const [n, letter] of letters.entries()) {
          assert.deepEqual(Buffer.from(letter.body), Buffer.from(bodies[n] ?? assert.fail('one too many')));
          assert.deepEqual([letter.key, letter.headers, letter.attempts], [keyOf(), headers, 0]);
        }
        assert.deepEqual(
          letters.map(({ cause }) => cause.code),
          ['DECODING_FAILED', 'DECODING_FAILED', 'INVALID_VALUE'],
        );
        assert.deepEqual(
          [received.ids.filter((id) => id.startsWith('body-')), told(events, 'handler-failed')],
          [[], []],
        );
      },
    },
    {
      id: 'DL16',
      title: 'a PermanentError, a classified error and deadLetter() make a letter after one call, each with its cause',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const record = received.handler();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          async (delivery) => {
            await record(delivery);
            if (delivery.key === 'permanent') throw new PermanentError('cannot be');
            if (delivery.key === 'classified') throw new RangeError('too far');
            if (delivery.key === 'asked') return deadLetter('a person must look');
            return delivery.key === 'silent' ? deadLetter() : undefined;
          },
          { retry: { classify: (error) => (error instanceof Error ? 'dead-letter' : 'retry') } },
        );
        await consumer.start();
        const keys = ['permanent', 'classified', 'asked', 'silent'];
        const ids = await t.send(
          messaging,
          topic,
          keys.map((key, n) => ({ key, n })),
        );
        await received.all(ids);
        const letters = await lettersOf(t, topic);
        await t.poll(async () => (await listed(letters)).length >= 4, 'four letters');
        await t.quiet(messaging, topic, received);
        const causes = new Map(
          (await listed(letters)).map(({ key, cause, attempts }) => [key, { ...cause, attempts }]),
        );
        const summary = keys.map((key) => [
          causes.get(key)?.attempts,
          causes.get(key)?.error,
          causes.get(key)?.message,
        ]);
        assert.deepEqual(summary, [
          [1, 'PermanentError', 'cannot be'],
          [1, 'RangeError', 'too far'],
          [1, 'string', 'a person must look'],
          [1, undefined, undefined],
        ]);
        for (const id of ids) assert.equal(received.of(id).length, 1);
      },
    },
    {
      id: 'DL18',
      title:
        'each group has letters of its own: what one gives up the other does not see, and a group without has none',
      needs: ['groups'],
      async run(t) {
        const topic = t.keyed();
        const every = (rest: number) => (delivery: { value: { n: number }; key: string | undefined }) => {
          if (delivery.value.n % 2 === rest) giveUp(delivery);
        };
        const [one, two] = await Promise.all([
          worker(t, topic, { group: 'one', work: every(0) }),
          worker(t, topic, { group: 'two', work: every(1) }),
        ]);
        const ids = await t.send(one.messaging, topic, items(20, 5));
        const [even, odd] = [0, 1].map((rest) => ids.filter((_, n) => n % 2 === rest));
        await toldOf(t, one.events, 'dead-lettered', even ?? []);
        await toldOf(t, two.events, 'dead-lettered', odd ?? []);
        const letters = await Promise.all(
          ['one', 'two', 'three'].map(async (group) => listed(await lettersOf(t, topic, group))),
        );
        assert.deepEqual(
          letters.map((found) => messageIds(found).sort()),
          [even?.sort(), odd?.sort(), []],
        );
        assert.deepEqual([...new Set(letters[0]?.map(({ group }) => group))], ['one']);
      },
    },
    {
      id: 'DL21',
      title:
        'what was released between its attempts is one letter in the end, with all of them and where it stood first',
      needs: ['release'],
      async run(t) {
        const topic = t.keyed();
        const options = { retry: { maxAttempts: 3, backoff: fixed(300), whileRetrying: 'release' } as const };
        const { messaging, received, events } = await worker(t, topic, { work: outOfStock, options });
        const [id = ''] = await t.send(messaging, topic, [{ key: 'a', n: 1 }]);
        await toldOf(t, events, 'dead-lettered', [id]);
        await t.quiet(messaging, topic, received);
        assert.deepEqual(
          received.of(id).map(({ delivery }) => delivery.attempt),
          [1, 2, 3],
        );
        const letter = theOnly(await listed(await lettersOf(t, topic)));
        assert.deepEqual(
          [letter.messageId, letter.attempts, letter.key, letter.position, letter.cause.code],
          [id, 3, 'a', received.of(id)[0]?.delivery.position, 'E_STOCK'],
        );
        assert.ok(letter.lastFailedAt - letter.firstFailedAt >= 600, 'two back-offs lie between the failures');
      },
    },
    {
      id: 'DL22',
      title: 'two hundred messages given up at once are two hundred letters, none missing, none twice',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(200, 40));
        const letters = await listed(await lettersOf(t, topic));
        assert.deepEqual(messageIds(letters).sort(), [...ids].sort());
        assert.equal(new Set(letters.map(({ id }) => id)).size, 200);
      },
    },
  ],
);
