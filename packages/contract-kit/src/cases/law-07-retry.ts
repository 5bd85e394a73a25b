import assert from 'node:assert/strict';
import { exponential, fixed, retry } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';

/** What a back-off may be late by. */
const LATE_MS = 3_000;

const fail = (): never => {
  throw new Error('never here');
};

/** Fails on the key 'poison' until it is cured. */
function poison(): { readonly work: (delivery: { readonly key: string | undefined }) => void; cure(): void } {
  let poisoned = true;
  return {
    work: ({ key }) => {
      if (poisoned && key === 'poison') fail();
    },
    cure: () => {
      poisoned = false;
    },
  };
}

export const law07retry = law(
  7,
  ['redelivery'],
  [
    {
      id: 'RT1',
      title: 'a message whose handler fails twice is handled three times, and then never again',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const options = { retry: { maxAttempts: 5, backoff: fixed(50) }, deadLetter: 'none' };
        const work = ({ attempt, key }: { attempt: number; key: string | undefined }): void => {
          if (key === 'a' && attempt < 3) fail();
        };
        await t.member('g', topic, received, 'a', work, options);
        const [id = ''] = await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        await t.until(() => received.of(id).length >= 3, 'three calls');
        await t.quiet(messaging, topic, received);
        assert.deepEqual(
          received.of(id).map(({ delivery }) => delivery.attempt),
          [1, 2, 3],
        );
      },
    },
    {
      id: 'RT2',
      title: 'the last call has the attempt maxAttempts, and after it there is one dead letter',
      async run(t) {
        const topic = t.keyed();
        const dead = t.keyed(t.name('dead'));
        const messaging = await t.messaging();
        const [received, letters] = [t.received(), t.received()];
        const work = ({ key }: { key: string | undefined }): void => {
          if (key === 'a') fail();
        };
        const options = { retry: { maxAttempts: 3, backoff: fixed(20) }, deadLetter: { topic: dead.name } };
        await t.member('g', topic, received, 'a', work, options);
        await t.member('readers', dead, letters);
        const [id = ''] = await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        await letters.until(1);
        await t.quiet(messaging, topic, received);
        await t.quiet(messaging, dead, letters);
        assert.deepEqual(
          received.of(id).map(({ delivery }) => delivery.attempt),
          [1, 2, 3],
        );
        assert.equal(letters.values.filter(({ key }) => key === 'a').length, 1);
      },
    },
    {
      id: 'RT3',
      title: 'a back-off is a floor: no call comes earlier, and none much later',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const ended: number[] = [];
        const waited: number[] = [];
        const work = ({ attempt }: { attempt: number }): void => {
          const last = ended.at(-1);
          if (last !== undefined) waited.push(performance.now() - last);
          ended.push(performance.now());
          if (attempt < 5) fail();
        };
        const backoff = exponential({ initialMs: 100, maxMs: 400, jitter: false });
        await t.member('g', topic, received, 'a', work, { retry: { backoff } });
        await t.send(messaging, topic, [{ key: 'a', n: 0 }]);
        await received.until(5);
        for (const [n, floor] of [100, 200, 400, 400].entries()) {
          const ms = waited[n] ?? assert.fail(`no call ${n + 2}`);
          assert.ok(ms >= floor, `call ${n + 2} came after ${ms} ms in place of ${floor}`);
          assert.ok(ms < floor + LATE_MS, `call ${n + 2} came only after ${ms} ms`);
        }
      },
    },
    {
      id: 'RT6',
      title: 'one message that keeps failing among a hundred of other keys: those are handled while it waits',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const { work, cure } = poison();
        await t.member('g', topic, received, 'a', work, { retry: { backoff: fixed(200) } });
        const [bad = ''] = await t.send(messaging, topic, [{ key: 'poison', n: 0 }]);
        await t.until(() => received.of(bad).length >= 2, 'the poison to fail');
        await received.all(await t.send(messaging, topic, items(100, 40)));
        cure();
        await received.all([bad]);
        assert.equal(received.mostOfKey, 1);
      },
    },
    {
      id: 'RT8',
      title: 'a retry has the id, type, key, headers and time of the first call',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const work = ({ attempt }: { attempt: number }): void => {
          if (attempt < 3) fail();
        };
        await t.member('g', topic, received, 'a', work, { retry: { backoff: fixed(10) } });
        const headers = { plain: 'x', empty: '', unicode: 'ü\u{1f600}' };
        const time = Date.now() - 5_000;
        const options = { id: 'one', headers, time, type: 'kind' };
        await messaging.producer().send(topic, { key: 'a', n: 1 }, options);
        await received.until(3);
        for (const { delivery } of received.calls) {
          const { id, key, type, value } = delivery;
          assert.deepEqual(
            { id, key, type, value, time: delivery.time, headers: delivery.headers },
            { id: 'one', key: 'a', type: 'kind', value: { key: 'a', n: 1 }, time, headers },
          );
        }
      },
    },
    {
      id: 'RT9',
      title: 'retry({ afterMs }) waits as long as it says; a handler past handlerTimeoutMs is told, and never overlaps',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const errors: unknown[] = [];
        messaging.on((event) => {
          if (event.type === 'handler-failed') errors.push((event.error as { code?: string } | undefined)?.code);
        });
        const asked: number[] = [];
        const record = received.handler('a', async ({ key, value, attempt, signal }) => {
          if (key === 'later') asked.push(performance.now());
          if (value.n === 1 && attempt === 1)
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        });
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          topic,
          async (delivery) => {
            await record(delivery);
            return delivery.key === 'later' && delivery.attempt === 1 ? retry({ afterMs: 700 }) : undefined;
          },
          { handlerTimeoutMs: 300, retry: { backoff: fixed(10) } },
        );
        await consumer.start();
        await t.send(messaging, topic, [
          { key: 'later', n: 0 },
          { key: 'slow', n: 1 },
          { key: 'slow', n: 2 },
        ]);
        await received.until(5);
        const waited = (asked[1] ?? 0) - (asked[0] ?? 0);
        assert.ok(waited >= 700 && waited < 700 + LATE_MS, `it came again after ${waited} ms`);
        assert.deepEqual(errors.sort(), ['TIMEOUT', undefined]);
        assert.deepEqual(
          received.calls.filter(({ delivery }) => delivery.key === 'slow').map(({ delivery }) => delivery.value.n),
          [1, 1, 2],
        );
        assert.equal(received.mostOfKey, 1);
      },
    },
    {
      id: 'RT16',
      title: 'behind a backlog of a key that keeps failing all other keys are handled, with less in flight than waits',
      needs: ['independent-keys'],
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const { work, cure } = poison();
        const options = { maxInFlight: 20, concurrency: 4, retry: { backoff: fixed(200), maxHeld: 200 } };
        await t.member('g', topic, received, 'a', work, options);
        const bad = await t.send(
          messaging,
          topic,
          items(24, 1, 'poison').map((one) => ({ ...one, key: 'poison' })),
        );
        await t.until(() => received.of(bad[0] ?? '').length >= 2, 'the poison to fail');
        const good = await t.send(messaging, topic, items(200, 40));
        await received.all(good);
        assert.deepEqual(
          [
            ...new Set(
              received.calls.filter(({ delivery }) => delivery.key === 'poison').map(({ delivery }) => delivery.id),
            ),
          ],
          bad.slice(0, 1),
        );
        cure();
        await received.all(bad);
        assert.equal(received.mostOfKey, 1);
      },
    },
  ],
);
