import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deadLetter, discard, fixed, type Outcome, retry } from '../src/index.js';
import type { Delivery } from '../src/message.js';
import { settle } from './support/clock.js';
import { incoming } from './support/fake-adapter.js';
import { retries } from './support/retries.js';

const OUTCOMES: readonly (() => Outcome | undefined)[] = [
  () => undefined,
  () => retry(),
  () => retry({ afterMs: 250 }),
  () => deadLetter(),
  () => discard(),
];

const plan = fc.record({
  messages: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.array(fc.nat(4), { maxLength: 4 })), {
    maxLength: 25,
  }),
  batch: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  loseAt: fc.option(fc.nat(400), { nil: undefined }),
});

test('whatever handlers decide and whenever a source is lost: each message is settled once, and nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ messages, batch, loseAt }) => {
      const running = new Set<string | undefined>();
      let overlaps = 0;
      const outcome = ({ id, attempt }: Delivery<number>) =>
        OUTCOMES[messages[Number(id.slice(1))]?.[1][attempt - 1] ?? 0]?.();
      const work = async (given: Delivery<number> | readonly Delivery<number>[]) => {
        const deliveries = [given].flat() as Delivery<number>[];
        const keys = new Set(deliveries.map(({ key }) => key));
        for (const key of keys) {
          if (running.has(key)) overlaps += 1;
          running.add(key);
        }
        await settle();
        for (const key of keys) running.delete(key);
        const outcomes = deliveries.map(outcome);
        return Array.isArray(given) ? outcomes : outcomes[0];
      };
      const options = {
        retry: { maxAttempts: 3, backoff: fixed(100), maxHeld: 5 },
        deadLetter: { topic: 'dead' },
        maxInFlight: 10,
        concurrency: 2,
        ...(batch === undefined ? {} : { batch: { size: batch, maxWaitMs: 10 } }),
      };
      const { adapter, clock, receiver, source, subscription } = await retries(work as never, options);
      const deliverAll = (from: typeof source, skip: ReadonlySet<string>): void => {
        const records = messages.map(([key], n) => incoming(from, `${key}${n}`, 1, { key }));
        receiver.deliver(records.filter(({ id }) => !skip.has(id)));
      };
      const pass = async (ms: number): Promise<void> => {
        for (let at = 0; at < ms; at += 20) {
          await clock.advance(20);
          for (const write of adapter.writes) write.store();
          await settle();
        }
      };
      deliverAll(source, new Set());
      if (loseAt !== undefined) {
        await pass(loseAt);
        source.lost();
        deliverAll(receiver.sink.own('next'), new Set(receiver.settled));
      }
      await pass(12_000);
      expect([...receiver.settled].sort()).toEqual(messages.map(([key], n) => `${key}${n}`).sort());
      expect([overlaps, subscription.inFlight, receiver.credits, clock.timers]).toEqual([0, 0, 10, 0]);
    }),
    { numRuns: 60 },
  );
}, 60_000);
