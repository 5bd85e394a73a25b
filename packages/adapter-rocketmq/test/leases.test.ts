import { HANDOVER_MS } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import type { Batch, Entry } from '../src/internal/batch.js';
import type { Subscription } from '../src/internal/calls.js';
import { Leases } from '../src/internal/leases.js';
import { Mutex } from '../src/internal/mutex.js';
import { StillClock } from './support/clock.js';
import { testRuntime } from './support/runtime.js';

const LEASE_MS = 12_000;

function setUp(lease: Subscription['lease']) {
  const clock = new StillClock();
  const entry = { position: 'm', receiptHandle: 'h', leaseUntil: clock.monotonic() + LEASE_MS } as Entry;
  const batch = { source: { name: 's' }, entries: [entry], over: false } as unknown as Batch;
  Object.assign(entry, { batch, settled: false, acknowledged: false });
  const batches = new Set([batch]);
  const ended: number[] = [];
  const leases = new Leases({
    runtime: { ...testRuntime('n'), clock },
    subscription: { lease } as Subscription,
    leaseMs: LEASE_MS,
    handles: new Mutex(),
    batches,
    settled: () => {},
    lost: () => {},
    ranOut: (over) => {
      batches.delete(over);
      ended.push(clock.monotonic());
    },
  });
  return { clock, leases, entry, ended };
}

test('what is unsettled is renewed from half of its lease on, for as long as it takes', async () => {
  const { clock, leases, entry, ended } = setUp(async () => 'renewed');
  await clock.pass(5 * LEASE_MS);
  expect([entry.receiptHandle, ended]).toEqual(['renewed', []]);
  await leases.stop();
  expect(clock.timers).toBe(0);
});

test('a lease that cannot be renewed ends in time for handlers to end before others get the message', async () => {
  const { clock, entry, ended } = setUp(() => new Promise(() => {}));
  await clock.pass(2 * LEASE_MS);
  expect(ended).toEqual([entry.leaseUntil - HANDOVER_MS]);
});

test('what is settled and cannot be acknowledged ends with its lease', async () => {
  const { clock, entry, ended } = setUp(() => new Promise(() => {}));
  entry.settled = true;
  await clock.pass(2 * LEASE_MS);
  expect(ended).toEqual([entry.leaseUntil]);
});
