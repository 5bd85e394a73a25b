import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { bytes, defineTopic, MessagingError } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';

const SECRET = 's3cr3t-Pa55word';

/** Everything that somebody could see of an error: messages, causes, properties. */
const everything = (value: unknown): string => inspect(value, { depth: 8, showHidden: true });

export const law17 = law(
  17,
  [],
  [
    {
      id: 'ER1',
      title: 'empty, too long and illegal names of topics and groups are refused alike, before the network',
      async run(t) {
        const messaging = await t.messaging();
        const illegal = [
          '',
          ' ',
          'a b',
          'a/b',
          '.a',
          'a.',
          'a..b',
          'a_b',
          'ü',
          'a\n',
          '*',
          '#',
          'a:b',
          undefined,
          null,
          7,
          {},
        ];
        const refused = { name: 'MessagingError', code: 'INVALID_ARGUMENT' };
        for (const name of [...illegal, 'x'.repeat(101)])
          assert.throws(() => defineTopic(name as string, { schema: z.string() }), refused, String(name));
        for (const group of [...illegal, 'x'.repeat(65)])
          assert.throws(() => messaging.consumer({ group: group as string }), refused, String(group));
        assert.equal((await messaging.health()).brokers.main?.state, 'idle', 'nothing has touched the network');
      },
    },
    {
      id: 'AD9',
      title: 'the longest legal names work, and names that differ only in case or separators do not meet',
      async run(t) {
        const messaging = await t.messaging();
        const unique = t.name('n');
        const names = [
          `${unique}.Ab`,
          `${unique}.ab`,
          `${unique}-ab`,
          `${unique}.a-b`,
          `${unique}.a.b`,
          `${unique}.${'x'.repeat(99 - unique.length)}`,
        ];
        const group = `g.${'y'.repeat(62)}`;
        const consumer = messaging.consumer({ group });
        const received = names.map(() => t.received());
        const topics = names.map((name) => t.keyed(name));
        for (const [i, topic] of topics.entries()) consumer.subscribe(topic, (received[i] ?? assert.fail()).handler());
        await consumer.start();
        const sent = await Promise.all(topics.map((topic) => t.send(messaging, topic, items(4, 2))));
        await Promise.all(sent.map((ids, i) => received[i]?.all(ids)));
        for (const [i, ids] of sent.entries())
          assert.deepEqual([...(received[i]?.ids ?? [])].sort(), [...ids].sort(), names[i]);
      },
    },
    {
      id: 'ER2',
      title: 'a value its schema refuses, or that has no encoding, rejects before the network and names the place',
      async run(t) {
        const messaging = await t.messaging();
        const producer = messaging.producer();
        const topic = defineTopic(t.name('strict'), {
          schema: z.object({ order: z.object({ amount: z.number() }), any: z.unknown().optional() }),
        });
        await assert.rejects(producer.send(topic, { order: { amount: 'x' as never } }), (error: MessagingError) => {
          assert.equal(error.code, 'INVALID_VALUE');
          assert.match(error.message, /order\.amount/);
          return true;
        });
        const circle: Record<string, unknown> = {};
        circle.self = circle;
        for (const any of [10n, circle, { n: Number.NaN }, [Number.POSITIVE_INFINITY]]) {
          await assert.rejects(producer.send(topic, { order: { amount: 1 }, any }), {
            code: 'ENCODING_FAILED',
            retryable: false,
          });
        }
        await assert.rejects(producer.send(defineTopic(t.name('any'), { schema: z.unknown() }), undefined), {
          code: 'ENCODING_FAILED',
        });
        const raw = defineTopic(t.name('raw'), { schema: z.unknown(), codec: bytes() });
        await assert.rejects(producer.send(raw, 'text'), { code: 'ENCODING_FAILED' });
        assert.equal((await messaging.health()).brokers.main?.state, 'idle', 'nothing has touched the network');
      },
    },
    {
      id: 'ER7',
      title: 'keys, ids, headers and options that mean nothing are refused by name, before the network',
      async run(t) {
        const messaging = await t.messaging();
        const producer = messaging.producer();
        const topic = t.keyed();
        const refused = { code: 'INVALID_ARGUMENT' };
        const send = (options: object, value: object = { key: 'a', n: 1 }) =>
          producer.send(topic, value as never, options as never);
        for (const key of ['', 'x'.repeat(257), 'é'.repeat(129), '\ud800'])
          await assert.rejects(send({}, { key, n: 1 }), refused, `key ${key}`);
        for (const id of ['', 'a b', 'ü', 'x'.repeat(129), 7]) await assert.rejects(send({ id }), refused, `id ${id}`);
        for (const name of ['', 'a b', 'a:b', 'ü', 'x'.repeat(129), 'anymq-id', 'ANYMQ-x', 'ce_id', 'content-type']) {
          await assert.rejects(send({ headers: { [name]: 'x' } }), refused, `header ${name}`);
        }
        for (const value of [1, true, null, undefined, Buffer.from('x'), ['a'], new Date(), 2n, '\udfff']) {
          await assert.rejects(send({ headers: { h: value } }), refused, `header value ${String(value)}`);
        }
        for (const options of [
          { timeoutMs: 0 },
          { timeoutMs: 1.5 },
          { time: -1 },
          { time: Number.NaN },
          { type: 'a b' },
          { tag: 'x' },
        ])
          await assert.rejects(send(options), refused);
        await assert.rejects(producer.send(t.unkeyed(), { key: 'a', n: 1 }, { key: 'a' }), refused);
        await assert.rejects(producer.send({ name: 'x' } as never, {} as never), refused);
        assert.throws(() => messaging.producer({ sendTimeoutMs: -1 }), refused);
        assert.throws(() => messaging.producer({ buffer: 1 } as never), refused);
        const consumer = messaging.consumer({ group: 'g' });
        const bad = [
          { concurrency: 0 },
          { concurrency: 1.5 },
          { maxInFlight: 0 },
          { maxInFlight: 1e9 },
          { batch: { size: 0 } },
          { batch: {} },
          { batch: { size: 5 }, maxInFlight: 4 },
          { startFrom: 'middle' },
          { prefetch: 5 },
        ];
        for (const options of bad)
          assert.throws(() => consumer.subscribe(topic, () => {}, options as never), refused, JSON.stringify(options));
        assert.throws(() => consumer.subscribe(topic, 'no function' as never), refused);
        consumer.subscribe(topic, () => {});
        assert.throws(() => consumer.subscribe(topic, () => {}), { code: 'CONFLICT' });
        assert.equal((await messaging.health()).brokers.main?.state, 'idle', 'nothing has touched the network');
      },
    },
    {
      id: 'ER4',
      title: 'a signal that is aborted already has no side effect; one that aborts while waiting ends the waiting',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        await t.member('g', topic, received);
        const signal = AbortSignal.abort();
        await assert.rejects(messaging.producer().send(topic, { key: 'a', n: 1 }, { signal }), { code: 'ABORTED' });
        const consumer = (await t.messaging()).consumer({ group: 'h' });
        consumer.subscribe(topic, () => {});
        await assert.rejects(consumer.start({ signal }), { code: 'ABORTED' });
        await t.quiet(messaging, topic, received);
        assert.equal(received.calls.length, 32);
        const away = await t.messagingOn(t.unreachable());
        const abort = new AbortController();
        const sending = away.producer().send(topic, { key: 'a', n: 1 }, { signal: abort.signal });
        const connecting = away.connect({ signal: abort.signal });
        setImmediate(() => abort.abort());
        await assert.rejects(sending, { code: 'ABORTED' });
        await assert.rejects(connecting, { code: 'ABORTED' });
      },
    },
    {
      id: 'RC12',
      title:
        'a broker that is not there is UNAVAILABLE within connectTimeoutMs, naming the address and where it is configured',
      async run(t) {
        const messaging = await t.messagingOn(t.unreachable(), { connectTimeoutMs: 700 });
        const { address } = messaging.describe().brokers.main ?? assert.fail('no broker');
        const begin = performance.now();
        await assert.rejects(messaging.connect(), (error: MessagingError) => {
          assert.ok(error instanceof MessagingError);
          assert.deepEqual(
            { code: error.code, retryable: error.retryable, indeterminate: error.indeterminate },
            { code: 'UNAVAILABLE', retryable: true, indeterminate: false },
          );
          assert.ok(error.message.includes(address), error.message);
          assert.ok(error.message.includes('brokers.main'), error.message);
          assert.equal(error.adapter, messaging.describe().brokers.main?.adapter);
          assert.ok(error.cause !== undefined);
          return true;
        });
        const tookMs = performance.now() - begin;
        assert.ok(tookMs < 8_000, `it took ${Math.round(tookMs)} ms`);
        const { ready, brokers } = await messaging.health();
        assert.deepEqual(
          { ready, broker: brokers.main?.state },
          { ready: brokers.main?.state === 'idle', broker: brokers.main?.state },
        );
      },
    },
    {
      id: 'ER8',
      title: 'credentials that the broker refuses are UNAUTHORISED at once, without a retry, and show up nowhere',
      needs: ['authentication'],
      async run(t) {
        const log: unknown[] = [];
        const note = (...entry: unknown[]): void => {
          log.push(entry);
        };
        const logger = { debug: note, info: note, warn: note, error: note };
        const messaging = await t.messagingOn(t.unauthorised(SECRET), { connectTimeoutMs: 20_000, logger });
        const begin = performance.now();
        const error = await messaging.connect().then(
          () => assert.fail('it connected'),
          (refusal: MessagingError) => refusal,
        );
        const tookMs = performance.now() - begin;
        assert.deepEqual({ code: error.code, retryable: error.retryable }, { code: 'UNAUTHORISED', retryable: false });
        assert.ok(tookMs < 8_000, `it took ${Math.round(tookMs)} ms: a retry loop?`);
        const seen = [error, messaging.describe(), await messaging.health(), log].map(everything).join('\n');
        assert.ok(!seen.includes(SECRET), 'the secret shows up');
        await assert.rejects(messaging.producer().send(t.keyed(), { key: 'a', n: 1 }), { code: 'UNAUTHORISED' });
      },
    },
  ],
);
