import { createMessaging, defineTopic, type Messaging } from '@anymq/core';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createMemoryBroker, type MemoryBroker, memory, type VirtualClock, virtualClock } from '../src/index.js';

const orders = defineTopic('orders.paid', {
  schema: z.object({ order: z.string(), step: z.number() }),
  key: ({ order }) => order,
});

const on = (broker: MemoryBroker, clock: VirtualClock): Promise<Messaging> =>
  createMessaging({ brokers: { local: memory({ broker }) }, clock });

/** A consumer of `messaging` that notes what it handles. */
async function listener(messaging: Messaging, group = 'g') {
  const handled: { order: string; step: number; redelivered: boolean }[] = [];
  const consumer = messaging.consumer({ group });
  consumer.subscribe(orders, ({ value, redelivered }) => void handled.push({ ...value, redelivered }));
  await consumer.start();
  return { consumer, handled };
}

const sendAll = (messaging: Messaging, steps: number[]) => {
  const producer = messaging.producer();
  const values = steps.flatMap((step) => ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((order) => ({ order, step })));
  return Promise.all(values.map((value) => producer.send(orders, value)));
};

describe('messagings that share a broker', () => {
  test('share a group as processes do, in the order of each key, and one goes on when the other leaves', async () => {
    const clock = virtualClock();
    const broker = createMemoryBroker({ clock });
    const [one, two] = [await on(broker, clock), await on(broker, clock)];
    const [first, second] = [await listener(one), await listener(two)];
    await clock.advanceAsync(0);
    await sendAll(one, [1, 2, 3]);
    await clock.advanceAsync(0);
    expect(first.handled.length + second.handled.length).toBe(24);
    expect(Math.min(first.handled.length, second.handled.length)).toBeGreaterThan(0);
    await two.close();
    await sendAll(one, [4, 5]);
    await clock.advanceAsync(0);
    const all = [...second.handled, ...first.handled];
    expect(all).toHaveLength(40);
    expect(all.some(({ redelivered }) => redelivered)).toBe(false);
    for (const order of 'abcdefgh') {
      expect(all.filter((handled) => handled.order === order).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    }
    await one.close();
    expect(clock.timers).toBe(0);
  });

  test('no real timer is touched with a clock of the test', async () => {
    const { setTimeout: timeout, setInterval: interval } = globalThis;
    const forbidden = (() => {
      throw new Error('a real timer');
    }) as never;
    globalThis.setTimeout = forbidden;
    globalThis.setInterval = forbidden;
    try {
      const clock = virtualClock();
      const messaging = await on(createMemoryBroker(), clock);
      const { handled } = await listener(messaging);
      await sendAll(messaging, [1]);
      await clock.advanceAsync(600_000);
      expect(handled).toHaveLength(8);
      await messaging.close();
      expect(clock.timers).toBe(0);
    } finally {
      globalThis.setTimeout = timeout;
      globalThis.setInterval = interval;
    }
  });

  test('every private broker is a world of its own', async () => {
    const clock = virtualClock();
    const one = await createMessaging({ brokers: { local: memory() }, clock });
    const two = await createMessaging({ brokers: { local: memory() }, clock });
    const { handled } = await listener(two);
    await sendAll(one, [1]);
    await clock.advanceAsync(0);
    expect(handled).toEqual([]);
    expect(one.native<MemoryBroker>().messages('anymq.orders.paid')).toHaveLength(8);
    await Promise.all([one.close(), two.close()]);
  });
});
