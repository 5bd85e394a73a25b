import assert from 'node:assert/strict';
import { type Clock, systemClock } from '@anymq/core/adapter';
import { law } from '../case.js';
import { tampered } from '../tamper.js';
import { delay, idsOf, member, ready } from './delayed.js';
import { raw } from './raw.js';

const HEADERS: Readonly<Record<string, string>> = {
  empty: '',
  spaces: '  around  ',
  unicode: 'grüße 🎉 e\u0301',
  lines: 'a\r\nb\tc',
  quotes: `"'\\=;,|&%20+`,
  Case: 'upper',
  case: 'lower',
  DELAY: '3',
};

/** The machine's clock, with a wall time that can be set. */
function settable(): Clock & { set(byMs: number): void } {
  const clock = systemClock();
  let shiftMs = 0;
  return {
    now: () => clock.now() + shiftMs,
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, run) => clock.setTimer(delayMs, run),
    set: (byMs) => {
      shiftMs += byMs;
    },
  };
}

export const law10fidelity = law(
  10,
  ['delay'],
  [
    {
      id: 'DE13',
      title: 'a delayed message arrives with its body, headers, id, key, time and type, to the bit',
      needs: ['fidelity'],
      async run(t) {
        for (const envelope of ['lean', 'cloudevents']) {
          const topic = raw(t, { key: () => 'own', envelope });
          const { producer, received } = await member(t, topic);
          const body = Uint8Array.from({ length: 3_000 }, (_, i) => (i * 7) % 256);
          const options = { headers: HEADERS, key: 'schlüssel 🔑', time: 1_700_000_000_123, type: 'com.example.t' };
          const ids = [0, 400, 2_300].map(() => t.name('id'));
          const sending = [{}, { delayMs: 400 }, { delayMs: 2_300 }].map((when, i) =>
            producer.send(topic, body, { ...options, ...when, id: ids[i] ?? '' }),
          );
          const bare = await delay(producer, topic, new Uint8Array(0), { delayMs: 300 });
          await Promise.all(sending);
          await received.all([...ids, bare.id]);
          for (const id of ids) {
            const { delivery } = received.of(id)[0] ?? assert.fail('it did not come');
            const { key, time, type, headers, value, attempt, redelivered } = delivery;
            assert.deepEqual(
              { key, time, type, headers: { ...headers }, attempt, redelivered, value: Buffer.from(value) },
              { ...options, headers: HEADERS, attempt: 1, redelivered: false, value: Buffer.from(body) },
            );
          }
          const { delivery } = received.of(bare.id)[0] ?? assert.fail('it did not come');
          assert.deepEqual([delivery.key, { ...delivery.headers }, delivery.value.length], ['own', {}, 0]);
        }
      },
    },
    {
      id: 'DE21',
      title: 'the largest body, and the most headers, may be delayed too',
      needs: ['fidelity'],
      async run(t) {
        const { maxBodyBytes, maxHeadersBytes } = t.capabilities.limits;
        const topic = raw(t);
        const { producer, received } = await member(t, topic);
        const body = new Uint8Array(Math.min(maxBodyBytes, 8 * 1024 * 1024)).fill(7);
        const headers = { h: 'x'.repeat(maxHeadersBytes - 1) };
        const sent = [
          await delay(producer, topic, body, { delayMs: 500 }),
          await delay(producer, topic, Uint8Array.of(1), { delayMs: 2_200, headers }),
        ];
        await received.all(idsOf(sent));
        const [large, many] = sent.map(({ id }) => received.of(id)[0]?.delivery);
        assert.ok(Buffer.from(large?.value ?? []).equals(body));
        assert.deepEqual({ ...many?.headers }, headers);
      },
    },
    {
      id: 'DE9',
      title: 'when the wall clock is set by an hour and back, nothing comes early by it, and nothing stays behind',
      async run(t) {
        const clock = settable();
        // The broker's own clock is not set, nor that of its client.
        const configured = tampered(t.configure(), () => ({ runtime: () => ({ clock: systemClock() }) }));
        const messaging = await t.messagingOn(configured, { clock });
        const { producer, topic, received } = await ready(t, t.keyed(), { messaging });
        const sent = await Promise.all(
          [1_200, 2_300].map((delayMs, n) =>
            delay(producer, topic, { key: `k${n}`, n }, { deliverAt: clock.now() + delayMs }),
          ),
        );
        clock.set(-3_600_000);
        await t.later(3_000);
        await t.quiet(messaging, topic, received);
        for (const { id } of sent) assert.deepEqual(received.of(id), [], 'it came an hour early');
        clock.set(3_600_000);
        await received.all(idsOf(sent));
        const ahead = await delay(producer, topic, { key: 'k', n: 3 }, { deliverAt: clock.now() + 1_700 });
        clock.set(3_600_000);
        await received.all([ahead.id]);
      },
    },
  ],
);
