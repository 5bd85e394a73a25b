import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createMessaging } from '../src/messaging.js';
import { defineTopic } from '../src/topic.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter, type FakeReceiver, incoming } from './support/fake-adapter.js';

const topic = defineTopic('numbers', { schema: z.number(), key: String });

/** A member whose handlers run until `end`. */
const setUp = async () => {
  const adapter = new FakeAdapter();
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock });
  const consumer = messaging.consumer({ group: 'g' });
  const started: string[] = [];
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const subscription = consumer.subscribe(topic, ({ id }) => {
    started.push(id);
    return ended;
  });
  await consumer.start();
  await settle();
  const receiver = adapter.receivers[0] as FakeReceiver;
  const source = receiver.sink.own('source');
  const deliver = (id: string) => receiver.deliver([incoming(source, id, 1, { key: id[0] })]);
  return { adapter, clock, messaging, consumer, subscription, receiver, started, deliver, end };
};

describe('a topic that was deleted', () => {
  const deleted = async () => {
    const one = await setUp();
    const { adapter, receiver, messaging } = one;
    const codes: string[] = [];
    messaging.on((event) => event.type === 'subscription-failed' && codes.push(event.error.code));
    one.deliver('a1');
    adapter.existing.clear();
    receiver.sink.failed(new Error('permanent'));
    await settle();
    return { ...one, codes };
  };

  test('is told, waited for and received again from its beginning', async () => {
    const { adapter, clock, codes, messaging, receiver, subscription } = await deleted();
    expect([codes, subscription.state, receiver.closed]).toEqual([['NOT_FOUND'], 'starting', 1]);
    expect(await messaging.health()).toMatchObject({ live: true, ready: false });
    await clock.advance(5_000);
    expect(adapter.receivers).toHaveLength(1);
    adapter.existing.add(topic.name);
    await clock.advance(1_250);
    const [first, next] = adapter.receivers;
    expect([next?.spec.startFrom, next?.spec.charter]).toEqual(['earliest', first?.spec.charter]);
    expect([subscription.state, subscription.inFlight, next?.credits]).toEqual(['running', 1, 999]);
    expect((await messaging.health()).ready).toBe(true);
  });

  test('nothing of the old receiver counts for the new one', async () => {
    const { adapter, clock, deliver, end, receiver, started, subscription } = await deleted();
    adapter.existing.add(topic.name);
    await clock.advance(1_250);
    receiver.sink.failed(new Error('permanent'));
    deliver('a2');
    end();
    await settle();
    const next = adapter.receivers[1];
    expect([next?.settled, receiver.settled, started]).toEqual([[], [], ['a1']]);
    expect([subscription.state, subscription.inFlight, next?.credits]).toEqual(['running', 0, 1_000]);
  });

  test('is not waited for any more when the consumer closes', async () => {
    const { adapter, clock, consumer, end } = await deleted();
    const closed = consumer.close();
    end();
    await settle();
    await closed;
    adapter.existing.add(topic.name);
    await clock.advance(5_000);
    expect([adapter.receivers.length, clock.timers]).toEqual([1, 0]);
  });

  test('what is there again otherwise than it was is final', async () => {
    const { adapter, clock, codes, subscription } = await deleted();
    adapter.openReceiverError = new Error('refused');
    adapter.existing.add(topic.name);
    await clock.advance(1_250);
    expect([codes, subscription.state]).toEqual([['NOT_FOUND', 'UNAUTHORISED'], 'failed']);
  });
});
