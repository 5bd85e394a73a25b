import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { defineTopic, text } from '@anymq/core';
import fc from 'fast-check';
import { z } from 'zod';
import { law } from '../case.js';
import { rawPair } from './raw.js';

const sha = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

const HEADERS: Readonly<Record<string, string>> = {
  empty: '',
  spaces: '  around  ',
  emoji: 'grüße 🎉 你好',
  lines: 'a\r\nb\tc',
  nul: 'a\0b',
  quotes: `"'\\=;,|&%20+`,
  combining: 'e\u0301\u00e9',
  long: 'x'.repeat(2_000),
  'with.dot-and_line': '1',
  Case: 'upper',
  case: 'lower',
  // Words that brokers keep for themselves.
  KEYS: 'k',
  TAGS: 't',
  messageId: 'm',
  'x-death': 'd',
  DELAY: '3',
};

export const law02 = law(
  2,
  ['fidelity'],
  [
    {
      id: 'PF1',
      title: 'an empty body, zero bytes and any byte arrive exactly',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const bodies = [
          new Uint8Array(0),
          Uint8Array.of(0),
          Uint8Array.of(0, 255, 10, 13, 0),
          Uint8Array.from({ length: 256 }, (_, i) => i),
        ];
        const receipts = await Promise.all(bodies.map((body) => producer.send(topic, body)));
        await received.all(receipts.map(({ id }) => id));
        for (const [i, { id }] of receipts.entries())
          assert.deepEqual([...(received.of(id)[0]?.delivery.value ?? [])], [...(bodies[i] ?? [])]);
      },
    },
    {
      id: 'PF3',
      title: 'random bodies up to 64 KiB and random headers arrive with equal content',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const header = fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/).map((name) => `h-${name}`);
        const value = fc.string({ unit: 'binary', maxLength: 40 });
        const arbitrary = fc.record({
          size: fc.integer({ min: 0, max: 65_536 }),
          headers: fc.dictionary(header, value, { maxKeys: 6 }),
        });
        const { seed } = t;
        for (const { size, headers } of fc.sample(arbitrary, { numRuns: 40, seed })) {
          const body = randomBytes(size);
          const { id } = await producer.send(topic, body, { headers });
          await received.all([id]);
          const delivery = received.of(id)[0]?.delivery ?? assert.fail('no delivery');
          assert.equal(sha(delivery.value), sha(body), `body of ${size} bytes, seed ${seed}`);
          assert.deepEqual({ ...delivery.headers }, { ...headers }, `headers, seed ${seed}`);
        }
      },
    },
    {
      id: 'PF4',
      title: 'the sender may reuse its buffer as soon as send() returns, the handler its value',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const buffer = Buffer.alloc(4_096, 'a');
        const sends = ['a', 'b', 'c'].map((letter) => {
          buffer.fill(letter);
          return producer.send(topic, buffer);
        });
        buffer.fill('z');
        const ids = (await Promise.all(sends)).map(({ id }) => id);
        await received.all(ids);
        const found = ids.map((id) =>
          Buffer.from(received.of(id)[0]?.delivery.value ?? [])
            .toString()
            .slice(0, 2),
        );
        assert.deepEqual(found, ['aa', 'bb', 'cc']);
      },
    },
    {
      id: 'PF5',
      title: 'header values of any Unicode, control characters and emptiness included, arrive exactly',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const { id } = await producer.send(topic, Uint8Array.of(1), { headers: HEADERS });
        await received.all([id]);
        assert.deepEqual({ ...received.of(id)[0]?.delivery.headers }, HEADERS);
      },
    },
    {
      id: 'PF8',
      title: '24 headers arrive, and a message without headers has none',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const headers = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`header-${i}`, `value ${i}`]));
        const [many, none] = await Promise.all([
          producer.send(topic, Uint8Array.of(1), { headers }),
          producer.send(topic, Uint8Array.of(1)),
        ]);
        await received.all([many.id, none.id]);
        assert.deepEqual({ ...received.of(many.id)[0]?.delivery.headers }, headers);
        assert.deepEqual({ ...received.of(none.id)[0]?.delivery.headers }, {});
      },
    },
    {
      id: 'PF11',
      title: 'keys of any Unicode up to 256 bytes arrive exactly, and order by them holds',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const keys = [
          'a',
          ' ',
          'two words',
          'ключ/🔑',
          'a:b|c%20&d',
          'line\nbreak',
          'x'.repeat(256),
          '%RETRY%g',
          '#',
          '*.#',
        ];
        const ids = await t.send(
          messaging,
          topic,
          keys.flatMap((key) => [0, 1].map((n) => ({ key, n }))),
        );
        await received.all(ids);
        for (const [i, id] of ids.entries()) assert.equal(received.of(id)[0]?.delivery.key, keys[Math.floor(i / 2)]);
        for (const key of keys) {
          const order = received.values.filter((value) => value.key === key).map(({ n }) => n);
          assert.deepEqual(order, [0, 1], key);
        }
      },
    },
    {
      id: 'PF12',
      title: 'what a handler does to value and headers, its next call and another group do not see',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [first, second] = [t.received(), t.received()];
        const spoil = (delivery: {
          value: { n: number };
          headers: Readonly<Record<string, string>>;
          attempt: number;
        }): void => {
          assert.deepEqual([delivery.value.n, delivery.headers.h], [1, 'kept']);
          delivery.value.n = 99;
          (delivery.headers as Record<string, string>).h = 'spoiled';
          if (delivery.attempt === 1) throw new Error('again');
        };
        const failures: unknown[] = [];
        const consumer = messaging.consumer({ group: 'spoils' });
        consumer.subscribe(topic, first.handler('a', spoil));
        messaging.on((event) => {
          if (event.type === 'handler-failed') failures.push(event.error);
        });
        await consumer.start();
        await t.member('other', topic, second, 'b', spoil);
        const { id } = await messaging.producer().send(topic, { key: 'a', n: 1 }, { headers: { h: 'kept' } });
        await t.until(() => first.of(id).length === 2 && second.of(id).length === 2, 'a second call in both groups');
        assert.deepEqual(
          failures.map((error) => (error as Error).message),
          ['again'],
        );
      },
    },
    {
      id: 'PF13',
      title: 'text of any Unicode arrives exactly',
      async run(t) {
        const topic = defineTopic(t.name('text'), { schema: z.string(), codec: text() });
        const received = t.received<string>();
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        const texts = ['', ' ', '\ufeffmark', 'ünïcode 🚀', 'a\0b', 'x'.repeat(10_000)];
        const producer = messaging.producer();
        const receipts = await Promise.all(texts.map((value) => producer.send(topic, value)));
        await received.all(receipts.map(({ id }) => id));
        assert.deepEqual(
          receipts.map(({ id }) => received.of(id)[0]?.delivery.value),
          texts,
        );
      },
    },
    {
      id: 'PF20',
      title: 'with the CloudEvents envelope everything arrives as without it',
      async run(t) {
        const topic = defineTopic(t.name('events'), {
          schema: z.object({ key: z.string(), n: z.number() }),
          key: ({ key }) => key,
          envelope: 'cloudevents',
          type: 'com.example.counted',
        });
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const { id, time } = await messaging
          .producer()
          .send(topic, { key: 'k/ü', n: 1 }, { headers: { trace: 'x' }, time: 1_700_000_000_456 });
        await received.all([id]);
        const delivery = received.of(id)[0]?.delivery ?? assert.fail('no delivery');
        assert.deepEqual(
          {
            id: delivery.id,
            key: delivery.key,
            type: delivery.type,
            time: delivery.time,
            headers: { ...delivery.headers },
          },
          { id, key: 'k/ü', type: 'com.example.counted', time, headers: { trace: 'x' } },
        );
      },
    },
    {
      id: 'PF17',
      title: 'a message of a plain client, which says nothing about itself, is delivered with sensible defaults',
      needs: ['native-interop'],
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const before = Date.now() - 60_000;
        const peer = await t.native();
        await peer.send(topic.name, {
          body: Buffer.from('{"key":"plain","n":7}'),
          key: 'plain',
          headers: { colour: 'blue' },
        });
        await received.until(1);
        const delivery = received.calls[0]?.delivery ?? assert.fail('no delivery');
        assert.deepEqual(delivery.value, { key: 'plain', n: 7 });
        assert.equal(delivery.headers.colour, 'blue');
        assert.equal(delivery.attempt, 1);
        assert.equal(delivery.type, topic.name);
        assert.ok(delivery.id.length > 0, 'it has an id');
        assert.ok(delivery.time > before && delivery.time < Date.now() + 60_000, `its time is ${delivery.time}`);
      },
    },
    {
      id: 'PF18',
      title: 'a plain client reads what AnyMQ wrote: body, key and headers',
      needs: ['native-interop'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const { id } = await messaging.producer().send(topic, { key: 'plain', n: 7 }, { headers: { colour: 'blue' } });
        const peer = await t.native();
        const [message] = await peer.read(topic.name, 1);
        assert.equal(Buffer.from(message?.body ?? []).toString(), '{"key":"plain","n":7}');
        assert.equal(message?.key, 'plain');
        assert.equal(message?.headers.colour, 'blue');
        assert.ok(
          Object.values(message?.headers ?? {}).includes(id),
          `the id ${id} is readable: ${JSON.stringify(message?.headers)}`,
        );
      },
    },
  ],
);
