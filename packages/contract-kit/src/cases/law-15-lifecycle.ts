import assert from 'node:assert/strict';
import { createMessaging } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';

export const law15 = law(
  15,
  [],
  [
    {
      id: 'SD1',
      title: 'close waits for running handlers, and what they acknowledged is on the broker when it resolves',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const gate = t.gate();
        const consumer = await t.member('g', topic, before, 'a', () => gate.opened);
        const ids = await t.send(messaging, topic, items(20, 20));
        await before.until(20);
        let closed = false;
        const closing = consumer.close().then(() => {
          closed = true;
        });
        await t.send(messaging, t.keyed(), items(5, 5));
        assert.equal(closed, false, 'close resolved while handlers ran');
        gate.open();
        await closing;
        assert.ok(before.calls.every(({ ended }) => ended));
        await t.member('g', topic, after);
        await t.quiet(messaging, topic, after);
        assert.deepEqual(
          after.ids.filter((id) => ids.includes(id)),
          [],
        );
      },
    },
    {
      id: 'SD2',
      title:
        'when drainTimeoutMs is over, handlers are told by their signal, nothing of theirs is settled, and their messages go to others',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const gate = t.gate();
        const signals: AbortSignal[] = [];
        const consumer = (await t.messaging()).consumer({ group: 'g', drainTimeoutMs: 200 });
        consumer.subscribe(
          topic,
          before.handler('a', ({ signal }) => signals.push(signal) && gate.opened),
        );
        await consumer.start();
        const ids = await t.send(messaging, topic, items(5, 5));
        await before.until(5);
        assert.deepEqual(
          signals.map(({ aborted }) => aborted),
          ids.map(() => false),
          'not before',
        );
        await consumer.close();
        assert.deepEqual(
          signals.map(({ aborted }) => aborted),
          ids.map(() => true),
        );
        gate.open();
        await t.member('g', topic, after);
        await after.all(ids);
        for (const id of ids) assert.equal(after.of(id)[0]?.delivery.redelivered, true);
      },
    },
    {
      id: 'SD3',
      title: 'no handler starts after close was called, and what did not start goes back at once',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const consumer = await t.member(
          'g',
          topic,
          before,
          'a',
          () => new Promise((resolve) => setImmediate(resolve)),
          {
            concurrency: 2,
          },
        );
        const sending = t.send(messaging, topic, items(400, 50));
        await before.until(10);
        const closing = consumer.close();
        const started = before.calls.length;
        await closing;
        assert.equal(before.calls.length, started);
        const ids = await sending;
        await t.member('g', topic, after);
        const rest = ids.filter((id) => !before.ids.includes(id));
        const begin = performance.now();
        await after.all(rest);
        const tookMs = performance.now() - begin;
        assert.ok(tookMs < t.capabilities.limits.takeoverMs + 10_000, `taking over took ${Math.round(tookMs)} ms`);
        assert.deepEqual(
          after.ids.filter((id) => before.ids.includes(id)),
          [],
        );
      },
    },
    {
      id: 'SD4',
      title: 'sends that race with close either arrive and resolve, or reject with CLOSED',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const producer = (await t.messaging()).producer();
        const outcomes: Promise<string | undefined>[] = [];
        const send = (n: number): void => {
          const outcome = producer.send(topic, { key: `k${n % 5}`, n });
          outcomes.push(
            outcome.then(
              ({ id }) => id,
              (error) => {
                assert.equal(error.code, 'CLOSED');
                return undefined;
              },
            ),
          );
        };
        for (let n = 0; n < 50; n++) send(n);
        const closing = producer.close();
        for (let n = 50; n < 60; n++) send(n);
        await closing;
        const settled = await Promise.all(outcomes);
        assert.equal(settled.filter((id) => id !== undefined).length, 50);
        await received.all(settled.filter((id) => id !== undefined));
      },
    },
    {
      id: 'SD5',
      title:
        'after close everything answers CLOSED at once, through handles made before too, and closing again is fine',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const producer = messaging.producer();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, () => {});
        await consumer.start();
        await producer.send(topic, { key: 'a', n: 1 });
        await Promise.all([messaging.close(), messaging.close(), consumer.close(), producer.close()]);
        await messaging.close();
        const closed = { code: 'CLOSED' };
        await assert.rejects(producer.send(topic, { key: 'a', n: 2 }), closed);
        await assert.rejects(producer.sendBatch(topic, []), closed);
        await assert.rejects(consumer.start(), closed);
        assert.throws(() => consumer.subscribe(t.keyed(), () => {}), closed);
        assert.throws(() => messaging.producer(), closed);
        assert.throws(() => messaging.consumer({ group: 'g' }), closed);
        await assert.rejects(messaging.connect(), closed);
      },
    },
    {
      id: 'SD11',
      title: 'close during start ends soon and leaves nothing that receives',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const consumer = (await t.messaging()).consumer({ group: 'g' });
        consumer.subscribe(topic, before.handler());
        const starting = consumer.start().catch(() => {});
        await consumer.close();
        await starting;
        const ids = await t.send(messaging, topic, items(30, 15));
        await t.member('g', topic, after);
        await after.all(ids);
        assert.equal(before.calls.length, 0);
      },
    },
    {
      id: 'LC1',
      title: 'await using closes producer, consumer and messaging in order, and flush waits for what was sent',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const ids: string[] = [];
        await t.member('g', topic, received);
        {
          await using messaging = await t.messaging();
          await using producer = messaging.producer();
          for (const value of items(20, 4)) void producer.send(topic, value).then(({ id }) => ids.push(id));
          await producer.flush();
          assert.equal(ids.length, 20);
        }
        await received.all(ids);
      },
    },
    {
      id: 'CO3',
      title: '20 producers with 25 sends each, at once: all arrive',
      async run(t) {
        const topic = t.unkeyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const producers = Array.from({ length: 20 }, () => messaging.producer());
        const receipts = await Promise.all(
          producers.flatMap((producer) => items(25, 5).map((value) => producer.send(topic, value))),
        );
        await received.all(receipts.map(({ id }) => id));
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'CO6',
      title: 'a handler may send and close its producer, at concurrency 1, without a deadlock',
      async run(t) {
        const [first, second] = [t.keyed(), t.keyed()];
        const messaging = await t.messaging();
        const [fromFirst, fromSecond] = [t.received(), t.received()];
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(
          first,
          fromFirst.handler('a', async ({ value }) => {
            await using producer = messaging.producer();
            await producer.send(second, value);
          }),
          { concurrency: 1 },
        );
        consumer.subscribe(second, fromSecond.handler());
        await consumer.start();
        await t.send(messaging, first, items(10, 3));
        await fromSecond.until(10);
      },
    },
    {
      id: 'PB13',
      title: 'making a messaging does no I/O: with a broker that is not there only its use fails',
      async run(t) {
        const messaging = await createMessaging({ brokers: { main: t.unreachable() }, connectTimeoutMs: 300 });
        const producer = messaging.producer();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(t.keyed(), () => {});
        assert.equal((await messaging.health()).brokers.main?.state, 'idle');
        await assert.rejects(consumer.start(), { code: 'UNAVAILABLE' });
        await assert.rejects(producer.send(t.keyed(), { key: 'a', n: 1 }), { code: 'UNAVAILABLE' });
        await messaging.close();
      },
    },
    {
      id: 'LC2',
      title: 'a subscription may be added after start, and start again starts it',
      async run(t) {
        const [first, second] = [t.keyed(), t.keyed()];
        const messaging = await t.messaging();
        const [fromFirst, fromSecond] = [t.received(), t.received()];
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(first, fromFirst.handler());
        await consumer.start();
        const added = consumer.subscribe(second, fromSecond.handler());
        assert.equal(added.state, 'idle');
        await consumer.start();
        assert.equal(added.state, 'running');
        const [one, two] = await Promise.all([
          t.send(messaging, first, items(10, 3)),
          t.send(messaging, second, items(10, 3)),
        ]);
        await Promise.all([fromFirst.all(one), fromSecond.all(two)]);
      },
    },
    {
      id: 'CO5',
      title: 'connecting many times at once is one connection, and one event',
      async run(t) {
        const messaging = await t.messaging();
        const changes: string[] = [];
        messaging.on((event) => void (event.type === 'connection' && changes.push(event.state)));
        const producer = messaging.producer();
        const topic = t.keyed();
        await Promise.all([
          ...Array.from({ length: 10 }, () => messaging.connect()),
          ...items(10, 5).map((value) => producer.send(topic, value)),
        ]);
        await messaging.connect();
        assert.deepEqual(changes, ['up']);
      },
    },
  ],
);
