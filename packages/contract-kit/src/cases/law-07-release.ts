import assert from 'node:assert/strict';
import { ack, bytes, defineTopic, fixed, retry, steps } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';
import { atMost, contentOf, told, worker } from './giving-up.js';

const fail = (): never => {
  throw new Error('not yet');
};

const released = (...delaysMs: number[]) => ({
  retry: { whileRetrying: 'release', backoff: steps(...delaysMs) } as const,
});

export const law07release = law(
  7,
  ['redelivery', 'release'],
  [
    {
      id: 'RT17',
      title:
        'released: later messages of its key pass a message that keeps failing, and it comes again until it is done',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        let ill = true;
        const work = ({ value }: { value: { n: number } }): void => {
          if (ill && value.n === 0) fail();
        };
        const { received, subscription } = await worker(t, topic, { work, options: released(50) });
        const [first = ''] = await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        await received.until(1);
        const others = await t.send(
          messaging,
          topic,
          [1, 2, 3, 4, 5].map((n) => ({ key: 'a', n })),
        );
        await received.all(others);
        await t.until(() => received.of(first).length >= 3, 'three calls for what fails');
        ill = false;
        const failed = received.of(first).length;
        await t.until(() => received.of(first).length > failed, 'the call that does not fail');
        await t.poll(async () => (await subscription.lag()) === 0, 'everything to be settled');
        await t.quiet(messaging, topic, received);
        const calls = received.of(first).map(({ delivery }) => delivery.attempt);
        assert.deepEqual(
          calls,
          calls.map((_, i) => i + 1),
          'attempts without gap or repetition',
        );
        for (const id of others) assert.equal(received.of(id).length, 1);
        assert.equal(received.mostOfKey, 1, 'handlers of one key never overlap in one member');
      },
    },
    {
      id: 'RT18',
      title:
        'released: a back-off of 10 ms, of a second, and what retry({ afterMs }) says are floors, and none is much later',
      async run(t) {
        const topic = t.keyed();
        const ended = new Map<string, number[]>();
        const waited = new Map<string, number[]>();
        const received = t.received();
        const record = received.handler('a', ({ id }) => {
          const before = ended.get(id) ?? [];
          const last = before.at(-1);
          if (last !== undefined) waited.set(id, [...(waited.get(id) ?? []), Date.now() - last]);
          ended.set(id, [...before, Date.now()]);
        });
        const messaging = await t.messaging();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          async (delivery) => {
            await record(delivery);
            if (delivery.key === 'asked') return delivery.attempt === 1 ? retry({ afterMs: 700 }) : undefined;
            return delivery.attempt < 4 ? fail() : undefined;
          },
          released(10, 1_200, 10),
        );
        await consumer.start();
        const [stepped = '', asked = ''] = await t.send(messaging, topic, [
          { key: 'stepped', n: 0 },
          { key: 'asked', n: 1 },
        ]);
        await t.until(() => received.of(stepped).length + received.of(asked).length === 6, 'six calls');
        const floors = { [stepped]: [10, 1_200, 10], [asked]: [700] };
        for (const [id, expected] of Object.entries(floors))
          for (const [n, floor] of expected.entries()) {
            const ms = waited.get(id)?.[n] ?? assert.fail(`no call ${n + 2}`);
            assert.ok(ms >= floor, `call ${n + 2} came after ${ms} ms in place of ${floor}`);
            assert.ok(ms <= atMost(t, floor), `call ${n + 2} came only after ${ms} ms in place of ${floor}`);
          }
      },
    },
    {
      id: 'RT19',
      title: 'released: short back-offs do not wait behind one of several seconds, which is kept to as well',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const failedAt = new Map<string, number>();
        const delays: Readonly<Record<string, number>> = { long: 6_500, short: 40 };
        const received = t.received();
        const record = received.handler();
        const again = new Map<string, number>();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          async (delivery) => {
            await record(delivery);
            const { id, attempt, key = '' } = delivery;
            if (attempt > 1) again.set(id, Date.now() - (failedAt.get(id) ?? 0));
            t.waiter.changed();
            if (attempt > 1 || delays[key] === undefined) return undefined;
            failedAt.set(id, Date.now());
            return retry({ afterMs: delays[key] });
          },
          released(10),
        );
        await consumer.start();
        const [long = ''] = await t.send(messaging, topic, [{ key: 'long', n: 0 }]);
        await received.until(1);
        const short = await t.send(
          messaging,
          topic,
          items(20, 1).map(({ n }) => ({ key: 'short', n })),
        );
        await t.until(() => again.size === 21, 'each to come again');
        assert.equal(received.ids.at(-1), long, 'the long one comes last');
        for (const id of [long, ...short]) {
          const floor = id === long ? 6_500 : 40;
          const ms = again.get(id) ?? assert.fail('it did not come again');
          assert.ok(ms >= floor && ms <= atMost(t, floor), `${ms} ms in place of ${floor}`);
        }
      },
    },
    {
      id: 'RT20',
      title: 'a released copy has id, key, type, headers, time, position and body of the first call, bit by bit',
      async run(t) {
        const keyOf = (): string => 'ü k/\u{1f600}';
        const topic = defineTopic(t.name('raw'), { schema: z.instanceof(Uint8Array), codec: bytes(), key: keyOf });
        const work = ({ attempt }: { attempt: number }): void => {
          if (attempt < 3) fail();
        };
        const { received, messaging } = await worker(t, topic, { work, options: released(10) });
        const headers = { plain: 'x', empty: '', unicode: 'ü\u{1f600}\n', 'a.b-c_d': '1' };
        const time = Date.now() - 86_400_123;
        const producer = messaging.producer();
        for (const body of [Uint8Array.from({ length: 256 }, (_, n) => n), new Uint8Array(0)]) {
          const { id } = await producer.send(topic, body, { headers, time, type: 'kind' });
          await t.until(() => received.of(id).length === 3, 'three calls');
          const [first, ...later] = received.of(id).map(({ delivery }) => contentOf(delivery));
          assert.deepEqual(first?.headers, headers);
          assert.deepEqual([first?.key, first?.time, first?.type], [keyOf(), time, 'kind']);
          assert.deepEqual(Buffer.from(first?.value ?? assert.fail('no value')), Buffer.from(body));
          for (const one of later)
            assert.deepEqual({ ...one, value: Buffer.from(one.value) }, { ...first, value: Buffer.from(body) });
          assert.deepEqual(
            received.of(id).map(({ delivery }) => [delivery.attempt, delivery.redelivered]),
            [
              [1, false],
              [2, true],
              [3, true],
            ],
          );
        }
      },
    },
    {
      id: 'RT21',
      title:
        'a released retry reaches only the group that failed: others, also one that comes later, see the message once',
      needs: ['groups'],
      async run(t) {
        const topic = t.keyed();
        const work = ({ key, attempt }: { key: string | undefined; attempt: number }): void => {
          if (key?.startsWith('k') && attempt < 3) fail();
        };
        const [one, two] = await Promise.all([
          worker(t, topic, { group: 'one', work, options: released(20) }),
          worker(t, topic, { group: 'two', options: released(20) }),
        ]);
        const ids = await t.send(one.messaging, topic, items(12, 6));
        await t.until(() => ids.every((id) => one.received.of(id).length === 3), 'three calls for each');
        const later = await worker(t, topic, { group: 'later', options: released(20) });
        await t.quiet(one.messaging, topic, { all: (of) => oneAfterOther(of, [one, two, later]) });
        for (const id of ids) {
          assert.equal(one.received.of(id).length, 3);
          for (const { received } of [two, later])
            assert.deepEqual(
              received.of(id).map(({ delivery }) => delivery.attempt),
              [1],
            );
        }
        assert.equal(told(two.events, 'handler-failed').length, 0);
      },
    },
    {
      id: 'RT30',
      title: 'released from a batch: what failed of it comes again alone, and what did not is settled',
      needs: ['batch'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          (deliveries) => {
            received.batch(deliveries);
            return deliveries.map(({ key, attempt }) =>
              key?.startsWith('bad') && attempt < 3 ? retry({ reason: 'not yet' }) : ack(),
            );
          },
          { ...released(50), batch: { size: 10, maxWaitMs: 20 } },
        );
        await consumer.start();
        const [bad, good] = await Promise.all([
          t.send(messaging, topic, items(10, 5, 'bad')),
          t.send(messaging, topic, items(10, 5, 'good')),
        ]);
        const attempts = (id: string): number[] => received.of(id).map(({ delivery }) => delivery.attempt);
        await t.until(() => bad.every((id) => attempts(id).length === 3), 'three calls for what fails');
        await t.quiet(messaging, topic, received);
        for (const id of bad) assert.deepEqual(attempts(id), [1, 2, 3]);
        for (const id of good) assert.deepEqual(attempts(id), [1]);
      },
    },
    {
      id: 'RT22',
      title: 'a back-off longer than the engine holds, or with release delays, a message is refused at subscribe',
      async run(t) {
        const { maxHoldMs, maxDelayMs } = t.capabilities.limits;
        const longest = 2_147_483_647;
        const consumer = (await t.messaging()).consumer({ group: 'g' });
        const subscribe = (whileRetrying: 'hold-key' | 'release', ms: number): void => {
          consumer.subscribe(t.keyed(), () => {}, { retry: { whileRetrying, backoff: fixed(ms) } });
        };
        assert.ok(maxHoldMs >= 300_000, `a message is held for five minutes at least, not ${maxHoldMs} ms`);
        assert.ok(maxDelayMs >= 86_400_000, `a message is delayed for 24 hours at least, not ${maxDelayMs} ms`);
        for (const [how, most] of [['hold-key', maxHoldMs] as const, ['release', maxDelayMs] as const]) {
          subscribe(how, Math.min(most, longest));
          if (most < longest) assert.throws(() => subscribe(how, most + 1), { code: 'UNSUPPORTED' });
        }
      },
    },
  ],
);

async function oneAfterOther(
  ids: readonly string[],
  workers: readonly { readonly received: { all(ids: readonly string[]): Promise<void> } }[],
): Promise<void> {
  await Promise.all(workers.map(({ received }) => received.all(ids)));
}
