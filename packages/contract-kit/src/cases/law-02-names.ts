import assert from 'node:assert/strict';
import { defineTopic } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { eventsOf, listed, toldOf } from './giving-up.js';
import { rawPair } from './raw.js';

/** Legal to the letter: the longest, those of other systems, and some that differ in case or separator only. */
const NAMES = [
  'n'.repeat(128),
  'x',
  '0',
  'a.b',
  'a-b',
  'a_b',
  'A.B',
  '..',
  '-_-',
  'constructor',
  'id',
  'key',
  'type',
  'topic',
  'traceparent',
  'UNIQ_KEY',
  '__SHARDINGKEY',
  'x-delay',
  'CC',
];

export const law02names = law(
  2,
  ['fidelity'],
  [
    {
      id: 'PF7',
      title: 'header names up to 128 characters, also those that brokers and languages use themselves, arrive exactly',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const headers: Readonly<Record<string, string>> = Object.fromEntries(NAMES.map((name, i) => [name, `v${i}`]));
        const { id } = await producer.send(topic, Uint8Array.of(1), { headers });
        await received.all([id]);
        const found = received.of(id)[0]?.delivery.headers ?? {};
        assert.deepEqual(Object.entries(found).sort(), Object.entries(headers).sort());
        // The language keeps this one: as a header it would set a prototype.
        const reserved = Object.fromEntries([['__proto__', 'x']]);
        await assert.rejects(producer.send(topic, Uint8Array.of(1), { headers: reserved }), {
          code: 'INVALID_ARGUMENT',
        });
      },
    },
    {
      id: 'PF16',
      title:
        'a message that another version of its schema wrote is refused by code, once and for all, kept, and blocks nobody',
      needs: ['dead-letters'],
      async run(t) {
        const name = t.name('versions');
        const first = defineTopic(name, { schema: z.object({ n: z.number() }) });
        const second = defineTopic(name, { schema: z.object({ n: z.number(), unit: z.string() }) });
        const messaging = await t.messaging();
        const received = t.received<{ n: number; unit: string }>();
        const events = eventsOf(t, messaging);
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(second, received.handler());
        await consumer.start();
        const producer = messaging.producer();
        const old = await producer.send(first, { n: 1 });
        const { id } = await producer.send(second, { n: 2, unit: 'mm' });
        await received.all([id]);
        await toldOf(t, events, 'dead-lettered', [old.id]);
        const letters = await listed(messaging.deadLetters(first, { group: 'g' }));
        assert.deepEqual(
          letters.map(({ messageId, cause }) => [messageId, cause.code]),
          [[old.id, 'INVALID_VALUE']],
        );
        assert.deepEqual(JSON.parse(Buffer.from(letters[0]?.body ?? []).toString()), { n: 1 });
        assert.deepEqual(received.of(old.id), []);
      },
    },
  ],
);
