import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DueQueue } from '../src/consumer/due-queue.js';
import { delayOf } from '../src/consumer/retry-backoff.js';
import { exponential, fixed, steps } from '../src/index.js';
import { TestClock } from './support/clock.js';

const half = (): number => 0.5;

describe('back-off', () => {
  test('fixed is always the same, steps go on with the last, exponential grows to its end', () => {
    const waits = (backoff: ReturnType<typeof fixed>) => [1, 2, 3, 4, 1_000_000].map((n) => delayOf(backoff, n, half));
    expect(waits(fixed(7))).toEqual([7, 7, 7, 7, 7]);
    expect(waits(steps(1, 0, 30))).toEqual([1, 0, 30, 30, 30]);
    expect(waits(exponential({ initialMs: 10, maxMs: 50, jitter: false }))).toEqual([10, 20, 40, 50, 50]);
    expect(waits(exponential({ initialMs: 10, maxMs: 1_000, factor: 10, jitter: false }))).toEqual([
      10, 100, 1_000, 1_000, 1_000,
    ]);
    expect(waits(exponential({ initialMs: 10, maxMs: 50 }))).toEqual([10, 15, 25, 30, 30]);
  });

  test('jitter stays between the first wait and the exponential one', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    const ms = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 1, max: 60 }), unit, (initialMs, more, failures, random) => {
        const maxMs = initialMs + more;
        const wait = delayOf(exponential({ initialMs, maxMs }), failures, () => random);
        const longest = Math.min(maxMs, initialMs * 2 ** (failures - 1));
        return Number.isInteger(wait) && wait >= initialMs && wait <= longest;
      }),
    );
  });

  test.each([
    [() => fixed(-1), 'fixed()'],
    [() => fixed(undefined as never), 'fixed() is missing'],
    [() => fixed(2 ** 31), '2147483647'],
    [() => steps(), '1 to 1000 waits'],
    [() => steps(1, 1.5), 'steps()[1]'],
    [() => exponential({ initialMs: 0, maxMs: 1 }), 'initialMs'],
    [() => exponential({ initialMs: 2, maxMs: 1 }), 'maxMs'],
    [() => exponential({ initialMs: 1, maxMs: 2, factor: 0.5 }), 'factor'],
    [() => exponential({ initialMs: 1, maxMs: 2, jitter: 1 as never }), 'jitter'],
    [() => exponential(undefined as never), 'must be an object'],
    [() => exponential({ initialMs: 1, maxMs: 2, facter: 2 } as never), "no option 'facter'"],
  ])('%s is refused', (make, words) => {
    expect(make).toThrow(words);
  });
});

test('a due queue releases everything in time, in order, with one timer, whatever is discarded meanwhile', async () => {
  const waits = fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(waits, async (given) => {
      const clock = new TestClock();
      const released: [number, number][] = [];
      const queue = new DueQueue<number>(clock, (due) => {
        for (const item of due) released.push([item, clock.monotonic()]);
      });
      for (const [item, [due]] of given.entries()) queue.add(item, due);
      expect(clock.timers).toBeLessThanOrEqual(1);
      const gone = queue.discard((item) => given[item]?.[1] === true);
      expect(gone.length).toBe(given.filter(([, discarded]) => discarded).length);
      await clock.advance(100);
      const kept = given.flatMap(([due, discarded], item) => (discarded ? [] : [[item, due] as [number, number]]));
      expect(released).toEqual(kept.sort((a, b) => a[1] - b[1] || a[0] - b[0]));
      expect(clock.timers).toBe(0);
    }),
    { numRuns: 30 },
  );
});
