import assert from 'node:assert/strict';
import type { MessagingError, MessagingEvent } from '@anymq/core';
import { law } from '../case.js';
import { type Item, items } from '../context.js';
import { SLOW_MS, worker } from './giving-up.js';
import { assertOrder } from './law-04-groups.js';

/** `ready` must not lie for longer than this after a change. */
const NOTICE_MS = 30_000;

export const law16recovery = law(
  16,
  ['recovery'],
  [
    {
      id: 'RC1',
      title: 'what is sent during an outage waits, and is stored when it is over: none lost, each key in order',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const outage = await t.outage();
        const producer = (await t.messagingOn(outage.configure())).producer({ sendTimeoutMs: 100_000 });
        const all = items(300, 10);
        const send = (slice: Item[]) => slice.map((value) => producer.send(topic, value));
        await Promise.all(send(all.slice(0, 100)));
        outage.begin();
        const during = send(all.slice(100, 200));
        const first = await Promise.race([...during, t.later(500)]);
        assert.equal(first, undefined, 'a send resolved although there was no broker');
        outage.end();
        const receipts = await Promise.all([...during, ...send(all.slice(200))]);
        await received.all(receipts.map(({ id }) => id));
        assertOrder(received);
      },
    },
    {
      id: 'RC11',
      title:
        'a subscription resumes by itself after an outage: nothing lost, order kept, nothing that was settled twice',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        const { consumer } = await worker(t, topic, { adapter: outage.configure(), received });
        const direct = await t.messaging();
        const before = await t.send(direct, topic, items(60, 12));
        await received.all(before);
        outage.begin();
        const during = await t.send(direct, topic, items(60, 12, 'during'));
        outage.end();
        const after = await t.send(direct, topic, items(60, 12, 'after'));
        await received.all([...during, ...after]);
        assertOrder(received);
        await consumer.close();
        const next = t.received();
        await t.member('g', topic, next);
        await t.quiet(direct, topic, next);
        const settled = new Set([...before, ...during, ...after]);
        assert.deepEqual(
          next.ids.filter((id) => settled.has(id)),
          [],
        );
      },
    },
    {
      id: 'RC17',
      title: 'five outages in a row while messages flow: all arrive, each key in order',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        const { messaging } = await worker(t, topic, { adapter: outage.configure(), received });
        const producer = messaging.producer({ sendTimeoutMs: 100_000 });
        const all = items(500, 10);
        const sends: Promise<{ readonly id: string }>[] = [];
        for (let round = 0; round < 5; round++) {
          sends.push(...all.slice(round * 100, round * 100 + 50).map((value) => producer.send(topic, value)));
          await Promise.race([t.later(100), Promise.all(sends)]);
          outage.begin();
          sends.push(...all.slice(round * 100 + 50, round * 100 + 100).map((value) => producer.send(topic, value)));
          await t.later(200);
          outage.end();
          await sends.at(-1);
        }
        const receipts = await Promise.all(sends);
        await received.all(receipts.map(({ id }) => id));
        assertOrder(received);
      },
    },
    {
      id: 'RC18',
      title: 'every change of the connection is one event: down and up alternate, and each names its broker',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const outage = await t.outage();
        const messaging = await t.messagingOn(outage.configure());
        const events: Extract<MessagingEvent, { type: 'connection' }>[] = [];
        messaging.on((event) => {
          if (event.type !== 'connection') return;
          events.push(event);
          t.waiter.changed();
        });
        const topic = t.keyed();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        const states = (): string[] => events.map(({ state }) => state);
        await t.until(() => states().at(-1) === 'up', 'the first connection');
        for (let round = 0; round < 2; round++) {
          outage.begin();
          await t.until(() => states().at(-1) === 'down', `outage ${round} to be told`);
          outage.end();
          await t.until(() => states().at(-1) === 'up', `the end of outage ${round} to be told`);
        }
        await received.all(await t.send(messaging, topic, items(10, 3)));
        assert.deepEqual(states(), ['up', 'down', 'up', 'down', 'up']);
        assert.deepEqual([...new Set(events.map(({ broker }) => broker))], ['main']);
      },
    },
    {
      id: 'AD8',
      title: 'health says within seconds that the broker went away, why, and that it is back',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const outage = await t.outage();
        const received = t.received();
        const topic = t.keyed();
        const { messaging } = await worker(t, topic, { adapter: outage.configure(), received });
        assert.equal((await messaging.health()).ready, true);
        outage.begin();
        const begin = performance.now();
        await t.poll(async () => !(await messaging.health()).ready, 'health to see the outage');
        const { live, brokers } = await messaging.health();
        assert.deepEqual([live, brokers.main?.state], [true, 'down']);
        assert.ok((brokers.main?.reason ?? '').length > 0, 'no reason');
        outage.end();
        await t.poll(async () => (await messaging.health()).ready, 'health to see the end of the outage');
        assert.ok(performance.now() - begin < 2 * NOTICE_MS, 'it took too long');
        await received.all(await t.send(messaging, topic, items(10, 3)));
      },
    },
    {
      id: 'RC13',
      title: 'a send whose time is over during an outage rejects: TIMEOUT never arrives, INDETERMINATE may',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const outage = await t.outage();
        const messaging = await t.messagingOn(outage.configure());
        const producer = messaging.producer();
        await producer.send(topic, { key: 'a', n: 0 });
        outage.begin();
        const begin = performance.now();
        const ids = Array.from({ length: 20 }, () => t.name('late'));
        const errors = await Promise.all(
          ids.map((id, n) =>
            producer.send(topic, { key: `k${n % 4}`, n }, { id, timeoutMs: 700 }).then(
              () => assert.fail('it was sent although there was no broker'),
              (error: MessagingError) => error,
            ),
          ),
        );
        const tookMs = performance.now() - begin;
        assert.ok(tookMs < 3_000, `rejecting took ${Math.round(tookMs)} ms in place of 700`);
        for (const { code } of errors) assert.ok(['TIMEOUT', 'INDETERMINATE'].includes(code), code);
        for (const { code, indeterminate } of errors) assert.equal(indeterminate, code === 'INDETERMINATE');
        outage.end();
        await producer.send(topic, { key: 'a', n: 1 }, { timeoutMs: 90_000 });
        await t.quiet(await t.messaging(), topic, received);
        const never = ids.filter((_, i) => errors[i]?.code === 'TIMEOUT');
        assert.deepEqual(
          received.ids.filter((id) => never.includes(id)),
          [],
        );
      },
    },
    {
      id: 'RC21',
      title: 'start and a first send during an outage succeed once it is over',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        outage.begin();
        const messaging = await t.messagingOn(outage.configure(), { connectTimeoutMs: 100_000 });
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        const starting = consumer.start();
        const sending = messaging.producer({ sendTimeoutMs: 100_000 }).send(topic, { key: 'a', n: 1 });
        const first = await Promise.race([starting.then(() => 'started'), sending, t.later(500)]);
        assert.equal(first, undefined);
        outage.end();
        await starting;
        const { id } = await sending;
        await received.all([id]);
      },
    },
    {
      id: 'CG9',
      title:
        'who lost its messages to another member is told by the signal with STALE_DELIVERY, and its late outcome counts for nothing',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const [old, fresh] = [t.received(), t.received()];
        const outage = await t.outage();
        const gate = t.gate();
        const signals: AbortSignal[] = [];
        const work = ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
          signals.push(signal);
          signal.addEventListener('abort', () => t.waiter.changed());
          return gate.opened;
        };
        await worker(t, topic, { adapter: outage.configure(), received: old, work });
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(8, 8));
        await old.until(8);
        outage.begin();
        await t.member('g', topic, fresh);
        await fresh.all(ids);
        outage.end();
        await t.until(() => signals.every(({ aborted }) => aborted), 'the old owner to be told');
        for (const { reason } of signals) assert.equal((reason as MessagingError).code, 'STALE_DELIVERY');
        gate.open();
        await t.quiet(direct, topic, { all: (sentinels) => t.oneOf(sentinels, old, fresh) });
        for (const id of ids) assert.equal(fresh.of(id).length, 1, 'it was settled by who has it');
        for (const id of ids) assert.equal(old.of(id).length, 1);
      },
    },
    {
      id: 'OR6',
      title:
        'who takes over from a member that is cut off begins, for each key, at or before the first message without an outcome, and goes on in order',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const [old, fresh] = [t.received(), t.received()];
        const outage = await t.outage();
        const gate = t.gate();
        const stopAt = 12;
        await worker(t, topic, {
          adapter: outage.configure(),
          received: old,
          work: ({ value }) => (value.n < stopAt * 10 ? t.later(2) : gate.opened),
        });
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(300, 10));
        await t.until(() => old.running === 10, 'every key to stand still');
        outage.begin();
        const acked = new Map<string, number>();
        for (const { delivery, ended } of old.calls) if (ended) acked.set(delivery.value.key, delivery.value.n);
        await t.member('g', topic, fresh, 'fresh');
        await fresh.all(ids.slice(stopAt * 10));
        for (const [key, n] of acked) {
          const first = fresh.values.find((value) => value.key === key)?.n ?? assert.fail(`nothing of ${key}`);
          assert.ok(first <= n + 10, `${key} went on at ${first} after ${n}`);
        }
        assertOrder(fresh);
        assert.deepEqual(fresh.duplicates, []);
        gate.open();
        outage.end();
      },
    },
  ],
);
