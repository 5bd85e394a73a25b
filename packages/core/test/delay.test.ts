import { describe, expect, test } from '@jest/globals';
import { DueQueue } from '../src/consumer/due-queue.js';
import { createMessaging } from '../src/index.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter, type FakeReceiver, incoming } from './support/fake-adapter.js';
import { topic } from './support/retries.js';

const GATE = 'anymq.delay.gate';

/** A messaging whose lines stand, and a way to give the owner of the gate what is due later. */
async function gate() {
  const adapter = new FakeAdapter([]);
  const limits = { ...adapter.capabilities.limits, maxHeadersBytes: 2_000 };
  Object.assign(adapter, { capabilities: { ...adapter.capabilities, limits } });
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock });
  const failures: string[] = [];
  messaging.on((event) => {
    if (event.type === 'delay-failed') failures.push(event.id);
  });
  const producer = messaging.producer();
  void producer.send(topic, 2, { delayMs: 60_000 }).catch(() => {});
  await settle();
  const receiver = adapter.receivers.find(({ spec }) => spec.topic.name === GATE) as FakeReceiver;
  const source = receiver.sink.own('the gate');
  const reader = async (): Promise<void> => {
    for (let i = 0; i < 5; i += 1) {
      for (const write of adapter.writes) write.store();
      await settle();
      const marker = adapter.writes.flatMap(({ records }) => records).find(({ headers }) => headers?.['anymq-marker']);
      const open = adapter.readers.find(({ closed }) => closed === 0);
      if (marker !== undefined) void open?.read({ ...incoming(source, marker.id, 0), headers: marker.headers });
      await settle();
    }
  };
  await reader();
  const to = topic.definition.spec;
  const parcel = (id: string, inMs: number, sentAt = clock.now()) => {
    const delay = { token: id, deliverAt: clock.now() + inMs, sentAt, enteredAt: sentAt, to, asParcel: false };
    const note = JSON.stringify({ key: '1', type: 'numbers', contentType: 'application/json', delay });
    return incoming(source, id, 1, { key: 'line', headers: { 'anymq-parcel': note } });
  };
  const forwarded = (): string[] =>
    adapter.writes.flatMap(({ records }) => records.filter(({ key }) => key === '1').map(({ id }) => id));
  return { adapter, clock, messaging, receiver, source, parcel, forwarded, failures };
}

test('what waits has the key of its message in every line: only what has one key must keep its order on the way', async () => {
  const { adapter } = await gate();
  const waiting = adapter.writes.flatMap(({ records }) => records).find(({ headers }) => headers?.['anymq-parcel']);
  expect(waiting?.key).toBe('2');
});

describe('the owner of the gate', () => {
  test('holds no more than its window, and makes room as messages go', async () => {
    const { adapter, clock, messaging, receiver, parcel, forwarded } = await gate();
    const window = receiver.credits;
    expect(window).toBe(5_000);
    receiver.deliver(Array.from({ length: window }, (_, n) => parcel(`m${n}`, 500)));
    await settle();
    expect([receiver.credits, forwarded()]).toEqual([0, []]);
    await clock.advance(500);
    for (let i = 0; i < 60; i += 1) {
      for (const write of adapter.writes) write.store();
      await settle();
    }
    expect([forwarded().length, receiver.settled.length, receiver.credits]).toEqual([window, window, window]);
    const closing = messaging.close();
    await clock.advance(6_000);
    await closing;
    expect(clock.timers).toBe(0);
  });

  test('sends on by due time, and what is due at once in the order it was sent, whatever order it came in', async () => {
    const { adapter, clock, receiver, parcel, forwarded } = await gate();
    const at = clock.now();
    receiver.deliver([
      parcel('late', 300),
      parcel('second', 200, at - 5),
      parcel('first', 200, at - 9),
      parcel('early', 100),
    ]);
    await clock.advance(400);
    for (let i = 0; i < 5; i += 1) {
      for (const write of adapter.writes) write.store();
      await settle();
    }
    expect(forwarded()).toEqual(['early', 'first', 'second', 'late']);
  });

  test('what comes when it is due does not pass what was due before and waits for a timer that is late', async () => {
    const { adapter, clock, receiver, parcel, forwarded } = await gate();
    receiver.deliver([parcel('before', 300)]);
    await settle();
    clock.stall(400);
    receiver.deliver([parcel('behind', -50), parcel('long ago', -900)]);
    await settle();
    await clock.advance(0);
    for (let i = 0; i < 5; i += 1) {
      for (const write of adapter.writes) write.store();
      await settle();
    }
    expect(forwarded()).toEqual(['long ago', 'before', 'behind']);
  });

  test('sends nothing on that it may have lost, as after its process stood still', async () => {
    const { clock, receiver, parcel, forwarded, source } = await gate();
    receiver.deliver([parcel('a', 300)]);
    source.lost();
    await clock.advance(400);
    let owned = true;
    const leased = receiver.sink.own('a lease', () => owned);
    const record = { ...parcel('b', 300), source: leased };
    receiver.deliver([record]);
    owned = false;
    await clock.advance(400);
    expect([forwarded(), receiver.settled]).toEqual([[], []]);
  });
});

test('what came while the wall clock was behind goes within a second of its time, however soon the clock was set right', async () => {
  const { clock, receiver, parcel, forwarded } = await gate();
  const due = parcel('due', 1_500);
  clock.set(-3_600_000);
  receiver.deliver([due]);
  await settle();
  await clock.advance(300);
  clock.set(3_600_000);
  await clock.advance(1_199);
  expect(forwarded()).toEqual([]);
  await clock.advance(1_001);
  expect(forwarded()).toEqual(['due']);
});

test('a queue gives what is due at once by its order, then as it was added', async () => {
  const clock = new TestClock();
  const due: string[] = [];
  const queue = new DueQueue<string>(clock, (items) => due.push(...items));
  queue.add('c', 10, 2);
  queue.add('d', 10, 2);
  queue.add('b', 10, 1);
  queue.add('a', 5, 9);
  expect(queue.size).toBe(4);
  await clock.advance(10);
  expect([due, queue.size]).toEqual([['a', 'b', 'c', 'd'], 0]);
});
