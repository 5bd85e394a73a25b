import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { SubscribeOptions } from '../src/consumer/contract.js';
import { type Delivery, retry } from '../src/message.js';
import { createMessaging } from '../src/messaging.js';
import { defineTopic } from '../src/topic.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter, type FakeReceiver, incoming } from './support/fake-adapter.js';

const topic = defineTopic('numbers', { schema: z.number(), key: String });

/** Handlers that the test ends: `end(id)` or `end(id, error)`. */
class Handlers {
  readonly started: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();
  readonly deliveries = new Map<string, Delivery<number>>();

  readonly handle = (delivery: Delivery<number>): Promise<void> =>
    new Promise((resolve, reject) => {
      this.started.push(`${delivery.id}#${delivery.attempt}`);
      this.deliveries.set(delivery.id, delivery);
      this.#ends.set(delivery.id, (error) => (error === undefined ? resolve() : reject(error)));
    });

  async end(id: string, error?: Error): Promise<void> {
    this.#ends.get(id)?.(error);
    await settle();
  }
}

const setUp = async (options: SubscribeOptions = {}) => {
  const adapter = new FakeAdapter();
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock });
  const consumer = messaging.consumer({ group: 'g', drainTimeoutMs: 5_000 });
  const handlers = new Handlers();
  const subscription = consumer.subscribe(topic, handlers.handle, options);
  await consumer.start();
  await settle();
  const receiver = adapter.receivers[0] as FakeReceiver;
  const source = receiver.sink.own('source');
  const deliver = (...ids: string[]) => receiver.deliver(ids.map((id) => incoming(source, id, 1, { key: id[0] })));
  return { adapter, clock, messaging, consumer, handlers, subscription, receiver, source, deliver };
};

describe('consumer', () => {
  test('one key runs one after another, others at once, up to the concurrency', async () => {
    const { handlers, deliver, receiver } = await setUp({ concurrency: 2 });
    deliver('a1', 'a2', 'b1', 'c1');
    expect(handlers.started).toEqual(['a1#1', 'b1#1']);
    await handlers.end('a1');
    expect(handlers.started).toEqual(['a1#1', 'b1#1', 'c1#1']);
    await handlers.end('b1');
    expect(handlers.started.at(-1)).toBe('a2#1');
    expect(receiver.settled).toEqual(['a1', 'b1']);
  });

  test('gives credit up to maxInFlight and again for what is settled', async () => {
    const { handlers, deliver, receiver, subscription } = await setUp({ maxInFlight: 3, concurrency: 3 });
    expect(receiver.credits).toBe(3);
    deliver('a1', 'b1', 'c1');
    expect([receiver.credits, subscription.inFlight]).toEqual([0, 3]);
    await handlers.end('b1');
    expect([receiver.credits, subscription.inFlight]).toEqual([1, 2]);
  });

  test('gives credit up to maxInFlightBytes and again for what is settled', async () => {
    const { handlers, deliver, receiver, subscription } = await setUp({ maxInFlightBytes: 2_000 });
    deliver('a1', 'b1');
    expect(subscription.inFlightBytes).toBeGreaterThan(0);
    expect(receiver.byteCredits + subscription.inFlightBytes).toBe(2_000);
    await handlers.end('a1');
    await handlers.end('b1');
    expect([receiver.byteCredits, subscription.inFlightBytes]).toEqual([2_000, 0]);
  });

  test('a failed message comes again after a wait, before the rest of its key; other keys go on', async () => {
    const { clock, handlers, deliver, receiver } = await setUp();
    deliver('a1', 'a2', 'b1');
    await handlers.end('a1', new Error('no'));
    await handlers.end('b1');
    expect(receiver.held).toEqual([['a1', 1]]);
    expect(handlers.started).toEqual(['a1#1', 'b1#1']);
    await clock.advance(1_000);
    expect(handlers.started).toEqual(['a1#1', 'b1#1', 'a1#2']);
    await handlers.end('a1');
    await handlers.end('a2');
    expect(receiver.settled).toEqual(['b1', 'a1', 'a2']);
    expect(clock.timers).toBe(0);
  });

  test('counts on from the attempts that the group made before', async () => {
    const { handlers, receiver, source } = await setUp();
    receiver.deliver([incoming(source, 'x', 1, { attempts: 4, redelivered: true })]);
    expect(handlers.started).toEqual(['x#5']);
    expect(handlers.deliveries.get('x')?.redelivered).toBe(true);
  });

  test('a body that cannot be decoded, or that the schema refuses, is a failed attempt without a handler call', async () => {
    const { messaging, handlers, receiver, source } = await setUp();
    const codes: unknown[] = [];
    messaging.on((event) =>
      codes.push(event.type === 'handler-failed' ? (event.error as { code: string }).code : event.type),
    );
    const broken = { ...incoming(source, 'x', 1), body: Buffer.from('{') };
    receiver.deliver([broken, incoming(source, 'y', 'no number'), incoming(source, 'z', 2)]);
    await settle();
    expect(codes).toEqual(['DECODING_FAILED', 'INVALID_VALUE']);
    expect(handlers.started).toEqual(['z#1']);
  });

  test('drain waits for running handlers, hands over their settlements, and drops the rest', async () => {
    const { handlers, deliver, receiver, source, subscription } = await setUp({ concurrency: 1 });
    deliver('a1', 'b1');
    let drained = false;
    source.drain().then(() => {
      drained = true;
    });
    await settle();
    expect([drained, subscription.inFlight]).toEqual([false, 1]);
    await handlers.end('a1');
    expect(drained).toBe(true);
    expect(receiver.settled).toEqual(['a1']);
    expect(handlers.started).toEqual(['a1#1']);
    expect(receiver.credits).toBe(1_000);
  });

  test('a lost source aborts its handlers, and what they do afterwards is not settled', async () => {
    const { handlers, deliver, receiver, source } = await setUp();
    deliver('a1', 'a2');
    const signal = handlers.deliveries.get('a1')?.signal;
    source.lost();
    expect(signal?.aborted).toBe(true);
    expect((signal?.reason as { code: string } | undefined)?.code).toBe('STALE_DELIVERY');
    await handlers.end('a1');
    expect(receiver.settled).toEqual([]);
    expect(handlers.started).toEqual(['a1#1']);
    expect(receiver.credits).toBe(1_000);
  });

  test('the same key under a new source waits for the handler of the lost one', async () => {
    const { handlers, deliver, receiver, source } = await setUp();
    deliver('a1');
    source.lost();
    const next = receiver.sink.own('again');
    receiver.deliver([incoming(next, 'a1', 1, { key: 'a', redelivered: true })]);
    expect(handlers.started).toEqual(['a1#1']);
    await handlers.end('a1');
    expect(handlers.started).toEqual(['a1#1', 'a1#1']);
    await handlers.end('a1');
    expect(receiver.settled).toEqual(['a1']);
  });

  test('pause starts nothing and gives no credit, resume goes on', async () => {
    const { handlers, deliver, receiver, subscription } = await setUp({ maxInFlight: 2, concurrency: 1 });
    deliver('a1', 'b1');
    subscription.pause();
    await handlers.end('a1');
    expect([handlers.started, receiver.credits, subscription.state]).toEqual([['a1#1'], 0, 'paused']);
    subscription.resume();
    await settle();
    expect([handlers.started, receiver.credits, subscription.state]).toEqual([['a1#1', 'b1#1'], 1, 'running']);
  });

  test('close starts nothing, waits for handlers, settles them and then leaves', async () => {
    const { consumer, handlers, deliver, receiver } = await setUp({ concurrency: 1 });
    deliver('a1', 'b1');
    const closed = consumer.close();
    await settle();
    expect(receiver.closed).toBe(0);
    await handlers.end('a1');
    await closed;
    expect([receiver.settled, receiver.closed, handlers.started]).toEqual([['a1'], 1, ['a1#1']]);
    expect(() => consumer.subscribe(topic, () => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  test('close tells handlers that outlast drainTimeoutMs and does not settle them', async () => {
    const { clock, consumer, handlers, deliver, receiver } = await setUp();
    deliver('a1');
    const { signal } = handlers.deliveries.get('a1') as Delivery<number>;
    const closed = consumer.close();
    await clock.advance(5_000);
    await closed;
    expect(signal.aborted).toBe(true);
    await handlers.end('a1');
    expect([receiver.settled, receiver.closed, clock.timers]).toEqual([[], 1, 0]);
  });

  test('a failed receiver is an event and a state, and what it had is dropped', async () => {
    const { messaging, deliver, receiver, subscription } = await setUp();
    const events: string[] = [];
    messaging.on((event) => events.push(event.type));
    deliver('a1');
    receiver.sink.failed(new Error('refused'));
    await settle();
    expect([events, subscription.state, receiver.closed]).toEqual([['subscription-failed'], 'failed', 1]);
    expect((await messaging.health()).live).toBe(false);
  });

  test('what the broker cannot do is refused before connecting', async () => {
    const adapter = new FakeAdapter();
    Object.assign(adapter, {
      capabilities: {
        ...adapter.capabilities,
        rows: { ...adapter.capabilities.rows, 'key-order': { level: 'unsupported', note: 'It has no order.' } },
      },
    });
    const messaging = await createMessaging({ brokers: { main: adapter }, clock: new TestClock() });
    const refused = { code: 'UNSUPPORTED', message: expect.stringContaining('It has no order.') };
    expect(() => messaging.consumer({ group: 'g' }).subscribe(topic, () => {})).toThrow(
      expect.objectContaining(refused),
    );
    await expect(messaging.producer().send(topic, 1)).rejects.toMatchObject(refused);
  });

  test('a start that fails can be tried again', async () => {
    const adapter = new FakeAdapter();
    const messaging = await createMessaging({ brokers: { main: adapter }, clock: new TestClock() });
    const consumer = messaging.consumer({ group: 'g' });
    consumer.subscribe(topic, () => {});
    adapter.openReceiverError = new Error('permanent');
    await expect(consumer.start()).rejects.toMatchObject({ code: 'NOT_FOUND', adapter: 'fake' });
    adapter.openReceiverError = undefined;
    await consumer.start();
    expect(adapter.receivers).toHaveLength(1);
  });
});

describe('batches', () => {
  const setUpBatch = async (options: { size: number; maxWaitMs?: number; concurrency?: number }) => {
    const { size, maxWaitMs = 100, concurrency = 1 } = options;
    const adapter = new FakeAdapter();
    const clock = new TestClock();
    const messaging = await createMessaging({ brokers: { main: adapter }, clock });
    const consumer = messaging.consumer({ group: 'g' });
    const batches: string[][] = [];
    const fail = new Set<string>();
    consumer.subscribe(
      topic,
      async (deliveries) => {
        batches.push(deliveries.map(({ id }) => id));
        if (fail.has('*')) throw new Error('all');
        return deliveries.map(({ id }) => (fail.has(id) ? retry({ reason: 'one' }) : { kind: 'ack' as const }));
      },
      { batch: { size, maxWaitMs }, concurrency },
    );
    await consumer.start();
    const receiver = adapter.receivers[0] as FakeReceiver;
    const source = receiver.sink.own('source');
    const deliver = (...ids: string[]) => receiver.deliver(ids.map((id) => incoming(source, id, 1, { key: id[0] })));
    return { clock, batches, fail, receiver, deliver };
  };

  test('a full batch goes at once, the rest after maxWaitMs', async () => {
    const { clock, batches, deliver } = await setUpBatch({ size: 2 });
    deliver('a1', 'b1', 'c1');
    await settle();
    expect(batches).toEqual([['a1', 'b1']]);
    await clock.advance(99);
    expect(batches).toHaveLength(1);
    await clock.advance(1);
    expect(batches[1]).toEqual(['c1']);
    expect(clock.timers).toBe(0);
  });

  test('one failing item is handled again alone', async () => {
    const { clock, batches, fail, receiver, deliver } = await setUpBatch({ size: 3 });
    fail.add('b1');
    deliver('a1', 'b1', 'c1');
    await settle();
    expect(receiver.settled).toEqual(['a1', 'c1']);
    fail.clear();
    await clock.advance(1_200);
    expect(batches.at(-1)).toEqual(['b1']);
    expect(receiver.settled).toEqual(['a1', 'c1', 'b1']);
  });

  test('a handler that throws gets all again, keys in order', async () => {
    const { clock, batches, fail, receiver, deliver } = await setUpBatch({ size: 3 });
    fail.add('*');
    deliver('a1', 'a2', 'b1');
    await settle();
    fail.clear();
    await clock.advance(1_200);
    expect(batches).toHaveLength(2);
    expect(batches[1]?.filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2']);
    expect([...receiver.settled].sort()).toEqual(['a1', 'a2', 'b1']);
  });

  test('a key is in one batch at a time', async () => {
    const { batches, deliver } = await setUpBatch({ size: 1, concurrency: 5 });
    deliver('a1', 'a2', 'b1');
    expect(batches.length).toBeLessThanOrEqual(2);
    await settle();
    expect(batches.map(([id]) => id)).toEqual(['a1', 'b1', 'a2']);
  });
});
