import { defineTopic } from '@anymq/core';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { MemoryFault } from '../src/errors.js';
import { memory } from '../src/index.js';
import { topic, World } from './support/delayed.js';

const HOUR = 3_600_000;

describe('delayed messages', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    expect(await world.close()).toBe(0);
  });

  test.each([1, 999, 1_000, 1_999, 2_000, 2_001, 5_999, 6_000, 61_000, 1_001_000])(
    'due in %i ms arrive then, to the millisecond',
    async (delayMs) => {
      const messaging = await world.process();
      await world.consumer(messaging);
      const begin = world.now();
      await messaging.producer().send(topic, { key: 'a', n: 0 }, { delayMs });
      await world.pass(delayMs - 1);
      expect(world.arrivals).toEqual([]);
      await world.pass(1);
      expect(world.arrivals).toEqual([{ key: 'a', n: 0, at: begin + delayMs }]);
    },
  );

  test('whatever their delays: never early, never late, in the order they are due, and as sent where that is the same', async () => {
    const plan = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(40), fc.nat(30)), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(plan, async (sends) => {
        const own = new World();
        const messaging = await own.process();
        await own.consumer(messaging);
        const producer = messaging.producer();
        const due = new Map<number, number>();
        const begin = own.now();
        for (const [n, [key, slot, pauseMs]] of sends.entries()) {
          // Few distinct times, so that many are due at once whatever line they went through.
          const deliverAt = begin + 2_000 + slot * 500;
          due.set(n, Math.max(deliverAt, own.now()));
          void producer.send(topic, { key, n }, { deliverAt });
          await own.pass(pauseMs * 100);
        }
        await own.pass(30_000);
        expect(own.arrivals.map(({ n, at }) => [n, at - begin]).sort()).toEqual(
          sends.map((_, n) => [n, (due.get(n) ?? 0) - begin]).sort(),
        );
        for (const key of ['a', 'b', 'c']) {
          const arrived = own.arrivals.filter((arrival) => arrival.key === key).map(({ n }) => n);
          const expected = [...arrived].sort((a, b) => (due.get(a) ?? 0) - (due.get(b) ?? 0) || a - b);
          expect(arrived).toEqual(expected);
        }
        expect(await own.close()).toBe(0);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  test('go through every line on a way of 24 hours', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const deliverAt = new Date(world.now() + 24 * HOUR);
    await messaging.producer().send(topic, { key: 'a', n: 0 }, { deliverAt });
    for (let hour = 0; hour < 24; hour += 1) {
      expect(world.arrivals).toEqual([]);
      await world.pass(HOUR);
    }
    expect(world.arrivals).toEqual([{ key: 'a', n: 0, at: deliverAt.getTime() }]);
    const lines = ['line-1000s', 'line-60s', 'line-5s', 'line-1s', 'gate'];
    expect(world.broker.topics()).toEqual(expect.arrayContaining(lines.map((line) => `test.anymq.delay.${line}`)));
  }, 60_000);

  test('10,000 due in one instant all arrive then', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const deliverAt = world.now() + 70_000;
    const items = Array.from({ length: 10_000 }, (_, n) => ({ value: { key: `k${n % 50}`, n }, deliverAt }));
    expect((await messaging.producer().sendBatch(topic, items)).failed).toBe(0);
    await world.pass(69_999);
    expect(world.arrivals).toEqual([]);
    await world.pass(1);
    expect(new Set(world.numbers()).size).toBe(10_000);
    expect(world.arrivals.length).toBe(10_000);
    for (let key = 0; key < 50; key += 1) {
      const ofKey = world.arrivals.filter((arrival) => arrival.key === `k${key}`).map(({ n }) => n);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
  }, 60_000);

  test('short ones do not wait behind thousands of longer ones', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const producer = messaging.producer();
    const long = Array.from({ length: 6_000 }, (_, n) => ({ value: { key: 'long', n }, delayMs: 6_500 }));
    await producer.sendBatch(topic, long);
    const begin = world.now();
    for (const [n, delayMs] of [50, 1_500, 2_500].entries())
      await producer.send(topic, { key: 'short', n: -1 - n }, { delayMs });
    await world.pass(3_000);
    expect(world.arrivals.map(({ at }) => at - begin)).toEqual([50, 1_500, 2_500]);
    await world.pass(4_000);
    expect(world.arrivals.length).toBe(6_003);
  }, 60_000);

  test.each([HOUR, -HOUR])(
    'keep to the wall clock when it is set by %i ms',
    async (stepMs) => {
      const messaging = await world.process();
      await world.consumer(messaging);
      const producer = messaging.producer();
      const delays = [500, 3_000, 30_000, 400_000, 2 * HOUR];
      const due = delays.map((delayMs) => world.now() + delayMs);
      for (const [n, delayMs] of delays.entries()) await producer.send(topic, { key: `k${n}`, n }, { delayMs });
      await world.pass(200);
      world.step(stepMs);
      for (const [n, delayMs] of delays.entries()) {
        due.push(world.now() + delayMs);
        await producer.send(topic, { key: `k${n}`, n: delays.length + n }, { delayMs });
      }
      const noticedAt = world.now() + 2_000;
      for (let hour = 0; hour < 4; hour += 1) await world.pass(HOUR);
      expect(world.numbers().sort((a, b) => a - b)).toEqual(due.map((_, n) => n));
      for (const { n, at } of world.arrivals) {
        expect(at).toBeGreaterThanOrEqual(due[n] ?? 0);
        expect(at).toBeLessThanOrEqual(Math.max(due[n] ?? 0, noticedAt) + 1_000);
      }
    },
    60_000,
  );

  test('are passed on by a consumer whose process delayed nothing', async () => {
    const [sender, receiver] = [await world.process(), await world.process()];
    await world.consumer(receiver);
    await sender.producer().send(topic, { key: 'a', n: 0 }, { delayMs: 20_000 });
    await sender.close();
    await world.pass(20_000);
    expect(world.numbers()).toEqual([0]);
  });

  test('wait on the broker while nobody is there, and are overdue then', async () => {
    const sender = await world.process();
    await sender.producer().send(topic, { key: 'a', n: 0 }, { delayMs: 5_000 });
    await sender.producer().send(topic, { key: 'a', n: 1 }, { delayMs: 30_000 });
    await sender.close();
    expect(world.clock.timers).toBe(0);
    await world.pass(10_000);
    await world.consumer(await world.process());
    await world.pass(3_000);
    expect(world.numbers()).toEqual([0]);
    await world.pass(17_000);
    expect(world.numbers()).toEqual([0, 1]);
  });

  test('that their topic refuses are told, and tried again until it does not; others pass', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const refusing = defineTopic('nobody-yet', { schema: z.number(), history: 'none' });
    const producer = messaging.producer();
    const { id } = await producer.send(refusing, 7, { delayMs: 1_000 });
    await producer.send(topic, { key: 'a', n: 0 }, { delayMs: 1_001 });
    await world.pass(12_000);
    expect(world.numbers()).toEqual([0]);
    const failed = world.events.filter((event) => event.type === 'delay-failed');
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(failed[0]).toMatchObject({ topic: 'nobody-yet', id, error: { code: 'UNROUTABLE' } });
    const late: number[] = [];
    const consumer = messaging.consumer({ group: 'g' });
    consumer.subscribe(refusing, async ({ value }) => void late.push(value), { deadLetter: 'none' });
    await consumer.start();
    await world.pass(5_000);
    expect(late).toEqual([7]);
  });

  test('are not lost when their forwarder is cut off in the middle of forwarding', async () => {
    const [near, far] = [world.broker.way(), world.broker.way()];
    const first = await world.process(memory({ broker: near }));
    const producer = first.producer();
    const items = Array.from({ length: 200 }, (_, n) => ({ value: { key: `k${n % 20}`, n }, delayMs: 3_000 + n }));
    await producer.sendBatch(topic, items);
    await world.consumer(await world.process(memory({ broker: far })));
    await world.pass(3_100);
    near.setAvailability('unavailable');
    await world.pass(3_600_000);
    expect(new Set(world.numbers()).size).toBe(200);
    near.setAvailability('up');
    await world.pass(60_000);
  }, 60_000);

  test('that are closed in the middle of their delivery come once', async () => {
    const [first, second] = [await world.process(), await world.process()];
    await world.consumer(second);
    const items = Array.from({ length: 300 }, (_, n) => ({ value: { key: `k${n % 20}`, n }, delayMs: 2_000 + n }));
    await first.producer().sendBatch(topic, items);
    await world.pass(2_150);
    const closing = first.close();
    await world.pass(100);
    await closing;
    await world.pass(10_000);
    expect(world.numbers().sort((a, b) => a - b)).toEqual(items.map((_, n) => n));
  });
});

describe('a delayed send', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    expect(await world.close()).toBe(0);
  });

  test('is refused where its delay is too long, said twice, or no number', async () => {
    const producer = (await world.process()).producer();
    const send = (options: object) => producer.send(topic, { key: 'a', n: 0 }, options);
    await expect(send({ delayMs: 604_800_001 })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(send({ deliverAt: world.now() + 604_800_001 })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(send({ delayMs: 1, deliverAt: world.now() })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const delayMs of [-1, 0.5, Number.NaN, '5'])
      await expect(send({ delayMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const deliverAt of [-1, new Date(Number.NaN), 1.5])
      await expect(send({ deliverAt })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(world.broker.topics().filter((name) => name.includes('anymq.'))).toEqual([]);
    await expect(send({ delayMs: 604_800_000 })).resolves.toMatchObject({ cancelToken: expect.any(String) });
  });

  test('that is due in the past, or now, goes at once', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const producer = messaging.producer();
    await producer.send(topic, { key: 'a', n: 0 }, { deliverAt: 0 });
    await producer.send(topic, { key: 'a', n: 1 }, { delayMs: 0 });
    await world.pass(0);
    expect(world.numbers()).toEqual([0, 1]);
    expect(world.broker.topics().filter((name) => name.includes('anymq.'))).toEqual([]);
  });

  test('waits no longer than its own time for lines that cannot be opened, and closing does not wait for them', async () => {
    const way = world.broker.way();
    const configured = memory({ broker: way });
    const stuck = {
      ...configured,
      create: (runtime: Parameters<typeof configured.create>[0]) =>
        Object.assign(configured.create(runtime), {
          openReceiver: () => Promise.reject(new MemoryFault('unavailable', 'away')),
        }),
    };
    const messaging = await world.process(stuck);
    const producer = messaging.producer({ sendTimeoutMs: 5_000 });
    const outcome = (options: object) =>
      producer.send(topic, { key: 'a', n: 0 }, { delayMs: 9_000, ...options }).then(
        () => 'sent',
        ({ code }) => code,
      );
    const controller = new AbortController();
    const outcomes = [outcome({ timeoutMs: 300 }), outcome({}), outcome({ signal: controller.signal })];
    await world.pass(400);
    expect(await outcomes[0]).toBe('TIMEOUT');
    controller.abort();
    expect(await outcomes[2]).toBe('ABORTED');
    await world.pass(5_000);
    expect(await outcomes[1]).toBe('TIMEOUT');
    void outcome({ timeoutMs: 100 });
    await world.pass(150);
    await messaging.close();
    expect(world.clock.timers).toBe(0);
  });
});
