import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { rawPair } from './raw.js';

export const law02limits = law(
  2,
  ['fidelity'],
  [
    {
      id: 'LM1',
      title: 'a body at the limit passes; one byte more is TOO_LARGE, and the producer works on',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const { maxBodyBytes } = t.capabilities.limits;
        const { id } = await producer.send(topic, new Uint8Array(maxBodyBytes).fill(7));
        await assert.rejects(producer.send(topic, new Uint8Array(maxBodyBytes + 1)), {
          code: 'TOO_LARGE',
          retryable: false,
        });
        const after = await producer.send(topic, Uint8Array.of(1));
        await received.all([id, after.id]);
        assert.equal(received.of(id)[0]?.delivery.value.length, maxBodyBytes);
      },
    },
    {
      id: 'LM2',
      title: 'headers at the limit pass; one byte more is TOO_LARGE',
      async run(t) {
        const { topic, producer, received } = await rawPair(t);
        const value = 'v'.repeat(t.capabilities.limits.maxHeadersBytes - 1);
        const { id } = await producer.send(topic, Uint8Array.of(1), { headers: { h: value } });
        await assert.rejects(producer.send(topic, Uint8Array.of(1), { headers: { h: `${value}v` } }), {
          code: 'TOO_LARGE',
        });
        await received.all([id]);
        assert.equal(received.of(id)[0]?.delivery.headers.h, value);
      },
    },
    {
      id: 'LM5',
      title: 'messages at the limit between small ones: all arrive, and the connection stands',
      async run(t) {
        const { topic, messaging, producer, received } = await rawPair(t);
        const downs: string[] = [];
        messaging.on(
          (event) => void (event.type === 'connection' && event.state === 'down' && downs.push(event.broker)),
        );
        const large = new Uint8Array(t.capabilities.limits.maxBodyBytes);
        const small = t.keyed();
        const others = t.received();
        await t.member('g', small, others);
        const sending = [0, 1, 2].map(() => producer.send(topic, large));
        const ids = await t.send(messaging, small, items(100, 10));
        const receipts = await Promise.all(sending);
        await Promise.all([received.all(receipts.map(({ id }) => id)), others.all(ids)]);
        for (const { delivery } of received.calls) assert.equal(delivery.value.length, large.length);
        assert.deepEqual(downs, []);
      },
    },
  ],
);
