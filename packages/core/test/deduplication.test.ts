import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  createMessaging,
  type DeduplicationStore,
  defineTopic,
  type MessagingEvent,
  memoryDeduplicationStore,
} from '../src/index.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter, type FakeReceiver, incoming } from './support/fake-adapter.js';

const topic = defineTopic('numbers', { schema: z.number() });

/** A store of which the test decides what it answers. */
class Store implements DeduplicationStore {
  readonly known = new Set<string>();
  readonly asked: string[][] = [];
  readonly recorded: string[][] = [];
  failing: 'seen' | 'record' | undefined;

  async seen(_scope: string, ids: readonly string[]): Promise<boolean[]> {
    this.asked.push([...ids]);
    if (this.failing === 'seen') throw new Error('the store is away');
    return ids.map((id) => this.known.has(id));
  }

  async record(_scope: string, ids: readonly string[]): Promise<void> {
    this.recorded.push([...ids]);
    if (this.failing === 'record') throw new Error('the store is away');
    for (const id of ids) this.known.add(id);
  }
}

const setUp = async (store = new Store()) => {
  const adapter = new FakeAdapter();
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock });
  const events: MessagingEvent[] = [];
  messaging.on((event) => events.push(event));
  const consumer = messaging.consumer({ group: 'g', drainTimeoutMs: 5_000 });
  const calls: string[] = [];
  const gates = new Map<string, Promise<void>>();
  const handler = async ({ id, attempt }: { id: string; attempt: number }): Promise<void> => {
    calls.push(`${id}#${attempt}`);
    await gates.get(id);
  };
  consumer.subscribe(topic, handler, { deduplicate: store });
  await consumer.start();
  await settle();
  const receiver = adapter.receivers[0] as FakeReceiver;
  const source = receiver.sink.own('source');
  const deliver = async (...ids: string[]): Promise<void> => {
    receiver.deliver(ids.map((id) => incoming(source, id, 1, {})));
    await settle();
  };
  const of = (type: string) => events.filter((event) => event.type === type);
  return { store, clock, consumer, calls, gates, receiver, source, deliver, of };
};

describe('deduplication', () => {
  test('a message that the store knows is acknowledged without a call, and told; one question serves a whole turn', async () => {
    const { store, calls, receiver, deliver, of } = await setUp();
    store.known.add('b');
    await deliver('a', 'b', 'c');
    expect(calls).toEqual(['a#1', 'c#1']);
    expect([...receiver.settled].sort()).toEqual(['a', 'b', 'c']);
    expect([store.asked, store.recorded]).toEqual([[['a', 'b', 'c']], [['a', 'c']]]);
    expect(of('duplicate-suppressed')).toEqual([
      { type: 'duplicate-suppressed', topic: 'numbers', group: 'g', id: 'b' },
    ]);
  });

  test('copies that are here at once wait for each other: one call when it succeeds, one more when it fails', async () => {
    const { calls, gates, receiver, deliver } = await setUp();
    let fail = (_: Error): void => {};
    gates.set(
      'a',
      new Promise((_, reject) => {
        fail = reject;
      }),
    );
    await deliver('a', 'a', 'a');
    expect(calls).toEqual(['a#1']);
    gates.delete('a');
    fail(new Error('no'));
    await settle();
    expect(calls).toEqual(['a#1', 'a#1']);
    expect(receiver.settled).toEqual(['a', 'a']);
  });

  test('a store that does not answer holds messages back, and that counts as no attempt', async () => {
    const { store, clock, calls, receiver, deliver, of } = await setUp();
    store.failing = 'seen';
    await deliver('a');
    expect([calls, receiver.settled, of('handler-failed'), of('deduplication-failed').length]).toEqual([[], [], [], 1]);
    store.failing = undefined;
    await clock.advance(1_000);
    await settle();
    expect([calls, receiver.settled]).toEqual([['a#1'], ['a']]);
  });

  test('what the store could not record is acknowledged, and told', async () => {
    const { store, receiver, deliver, of } = await setUp();
    store.failing = 'record';
    await deliver('a');
    expect([receiver.settled, of('deduplication-failed').length]).toEqual([['a'], 1]);
  });

  test.each(['pause', 'close', 'loss'])('no handler starts when the store answers after %s', async (what) => {
    const store = new Store();
    let answer = (): void => {};
    const slow: DeduplicationStore = {
      record: (scope, ids) => store.record(scope, ids),
      seen: (scope, ids) =>
        new Promise<void>((resolve) => {
          answer = resolve;
        }).then(() => store.seen(scope, ids)),
    };
    const { consumer, calls, receiver, source, deliver } = await setUp(slow as Store);
    await deliver('a');
    let closing: Promise<void> | undefined;
    if (what === 'pause') consumer.pause();
    else if (what === 'close') closing = consumer.close();
    else source.lost(new Error('gone'));
    answer();
    await settle();
    expect([calls, receiver.settled]).toEqual([[], []]);
    consumer.resume();
    await settle();
    expect(calls).toEqual(what === 'pause' ? ['a#1'] : []);
    await closing;
  });

  test('a source that is drained while a paused consumer holds a call is given up at once', async () => {
    const { consumer, calls, receiver, source } = await setUp();
    receiver.deliver([incoming(source, 'a', 1, {})]);
    consumer.pause();
    await settle();
    await source.drain();
    expect([calls, receiver.settled]).toEqual([[], []]);
  });
});

describe('the memory store', () => {
  test('forgets what is too old or too much, and keeps scopes apart', async () => {
    const clock = new TestClock();
    const store = memoryDeduplicationStore({ maxIds: 2, ttlMs: 100, clock });
    await store.record('s', ['a', 'b', 'c']);
    expect(await store.seen('s', ['a', 'b', 'c'])).toEqual([false, true, true]);
    expect(await store.seen('t', ['b'])).toEqual([false]);
    await clock.advance(60);
    await store.record('s', ['b']);
    await clock.advance(60);
    expect(await store.seen('s', ['b', 'c'])).toEqual([true, false]);
  });

  test.each([
    [{ maxIds: 0 }, 'maxIds'],
    [{ ttlMs: -1 }, 'ttlMs'],
    [{ size: 3 }, "no option 'size'"],
  ])('refuses %j', (options, words) => {
    expect(() => memoryDeduplicationStore(options as never)).toThrow(words);
  });
});

test('a store without its methods is refused, and so is one for broadcast', async () => {
  const messaging = await createMessaging({ brokers: { main: new FakeAdapter() } });
  const subscribe = (broadcast: boolean, deduplicate: unknown) => () =>
    messaging.consumer({ group: 'g', broadcast }).subscribe(topic, () => {}, { deduplicate } as never);
  expect(subscribe(false, {})).toThrow('has no seen');
  expect(subscribe(false, 'redis')).toThrow('deduplicate must be an object');
  expect(subscribe(true, memoryDeduplicationStore())).toThrow('broadcast');
});
