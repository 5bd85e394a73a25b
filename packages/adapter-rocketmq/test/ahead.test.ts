import { expect, test } from '@jest/globals';
import type { NativeDelivery } from '../src/codec.js';
import { Acks } from '../src/internal/acks.js';
import { Ahead } from '../src/internal/ahead.js';
import type { Batch, Entry } from '../src/internal/batch.js';
import type { Acknowledgement, Subscription } from '../src/internal/calls.js';
import { Mutex } from '../src/internal/mutex.js';
import { Queues } from '../src/internal/queues.js';
import { testRuntime, until } from './support/runtime.js';

const OK = 20_000;

function entryOf(batch: Batch, offset: number): Entry {
  const place = { queue: 'a/0', offset, messageId: `m${offset}`, receiptHandle: `h${offset}` };
  const leaseUntil = Number.POSITIVE_INFINITY;
  return { ...place, batch, leaseUntil, settled: false, acknowledged: false, confirmed: false } as unknown as Entry;
}

function setUp() {
  const acknowledged: string[] = [];
  let answer: ((deliveries: NativeDelivery[]) => void) | undefined;
  const subscription = {
    receive: () =>
      new Promise<NativeDelivery[]>((resolve) => {
        answer ??= resolve;
      }),
    acknowledge: async (entries: readonly Acknowledgement[]) => {
      acknowledged.push(...entries.map(({ messageId }) => messageId));
      return entries.map(() => OK);
    },
  } as unknown as Subscription;
  const runtime = testRuntime('n');
  const queues = new Queues();
  const acks = new Acks({
    runtime,
    subscription,
    possible: (entry) => queues.canAcknowledge(entry),
    done: (entry) => {
      entry.confirmed = true;
      queues.done(entry);
    },
    lost: () => {},
  });
  const shared = { runtime, subscription, queues, acks, handles: new Mutex(), leaseMs: 1, take: (max: number) => max };
  const ahead = new Ahead({ ...shared, received: async () => {} });
  const batch = { entries: [], over: false, lost: false, unacknowledged: 2 } as unknown as Batch;
  const entries = [entryOf(batch, 0), entryOf(batch, 1)] as const;
  queues.looked('a/0', { first: 0, last: 1 }, 'attempt', runtime.clock.monotonic());
  queues.add(entries);
  return { ahead, acks, queues, acknowledged, entries, asked: () => answer };
}

test('while a queue is looked into nothing is acknowledged, however long the broker takes to answer', async () => {
  const { ahead, acks, acknowledged, entries, asked } = setUp();
  ahead.arm();
  await until(() => asked() !== undefined, 'a look');
  const [, settled] = entries;
  settled.settled = true;
  acks.add(settled);
  let stopped = false;
  const stopping = ahead.stop().then(() => {
    stopped = true;
  });
  // Longer than a lease, and than any wait of the look's own.
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  expect([acknowledged, stopped]).toEqual([[], false]);
  asked()?.([]);
  await stopping;
  await acks.drained();
  expect(acknowledged).toEqual(['m1']);
});

test('what the last answer of a queue did not reach is not acknowledged, nor what would open the queue to others', async () => {
  const { acks, queues, acknowledged, entries } = setUp();
  queues.looked('a/0', { first: 0, last: 0 }, 'attempt', 0);
  for (const entry of entries) {
    entry.settled = true;
    acks.add(entry);
  }
  await acks.drained();
  expect(acknowledged).toEqual([]);
  expect(queues.forgotten(0)).toEqual({ queue: 'a/0', attempt: 'attempt', known: 2 });
  expect(queues.settledInVain()).toEqual(entries);
  queues.looked('a/0', { first: 0, last: 1 }, 'attempt', 0);
  for (const entry of entries) acks.add(entry);
  await acks.drained();
  expect(acknowledged).toEqual(['m0', 'm1']);
  expect(queues.waiting(0)).toBe(false);
});

test('a look whose answer is lost leaves unknown what may be acknowledged; of a lost batch nothing is waited for', async () => {
  const { queues, entries } = setUp();
  const [first] = entries;
  queues.unanswered('attempt');
  expect(queues.canAcknowledge(first)).toBe(false);
  expect(queues.forgotten(0)).toBeUndefined();
  first.settled = true;
  expect(queues.forgotten(0)).toBeDefined();
  first.batch.lost = true;
  expect(queues.forgotten(0)).toBeUndefined();
  queues.looked('a/0', { first: 0, last: 0 }, 'another', 0);
  expect(queues.canAcknowledge(first)).toBe(true);
});

test('what is confirmed only after the next messages of its queue have come leaves these alone', () => {
  const { queues, entries } = setUp();
  const { batch } = entries[0];
  queues.looked('a/0', { first: 2, last: 2 }, 'next', 0);
  // What is noted about the new ones is still being asked for.
  for (const entry of entries) {
    entry.confirmed = true;
    queues.done(entry);
  }
  const fresh = entryOf(batch, 2);
  queues.add([fresh]);
  expect(queues.find({ queue: 'a/0', messageId: 'm2' } as NativeDelivery)).toBe(fresh);
  expect(queues.stuck(1_000)).toEqual({ queue: 'a/0', attempt: 'next', known: 1 });
});

test('of a queue that somebody else has by now nothing is waited for', () => {
  const { queues, entries } = setUp();
  const [first, second] = entries;
  second.settled = true;
  queues.unanswered('attempt');
  second.leaseUntil = 1_000;
  expect(queues.forgotten(999)).toBeDefined();
  expect(queues.forgotten(1_000)).toBeUndefined();
  second.leaseUntil = 2_000;
  queues.nothing('a/0');
  expect(queues.forgotten(1_000)).toBeUndefined();
  expect(queues.find(first)).toBe(first);
  expect(queues.find(second)).toBeUndefined();
});
