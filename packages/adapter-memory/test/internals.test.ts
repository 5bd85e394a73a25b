import { systemClock } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { virtualClock } from '../src/index.js';
import { assign } from '../src/internal/assignment.js';
import { Cursor } from '../src/internal/cursor.js';
import { hash } from '../src/internal/hash.js';
import { turnScheduler } from '../src/internal/scheduler.js';

describe('assignment', () => {
  const members = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 10 });

  test('is even, complete, and moves as little as balance allows', () => {
    const current = fc.array(fc.option(fc.nat(20), { nil: undefined }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(current, members, (before, present) => {
        const target = assign(before, present);
        const sizes = present.map((member) => target.filter((owner) => owner === member).length);
        expect(sizes.reduce((a, b) => a + b)).toBe(before.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(assign(target, present)).toEqual(target);
        const kept = target.filter((owner, i) => owner === before[i]).length;
        expect(kept).toBe(mostThatCanStay(before, present));
      }),
    );
  });

  /** Members keep what they have up to their size; the bigger sizes go to those that have most. */
  function mostThatCanStay(before: readonly (number | undefined)[], present: readonly number[]): number {
    const held = present.map((member) => before.filter((owner) => owner === member).length).sort((a, b) => b - a);
    const even = Math.floor(before.length / present.length);
    const odd = before.length % present.length;
    return held.reduce((sum, count, rank) => sum + Math.min(count, even + (rank < odd ? 1 : 0)), 0);
  }

  test('without members nobody owns anything', () => {
    expect(assign(['a', undefined], [])).toEqual([undefined, undefined]);
  });
});

describe('a cursor', () => {
  test('agrees with the obvious model, whatever is settled in whatever order, twice too', () => {
    const settlements = fc.array(fc.nat(3_000), { maxLength: 3_000, size: 'max' });
    fc.assert(
      fc.property(settlements, fc.boolean(), (offsets, inOrder) => {
        const cursor = new Cursor(0);
        const end = 3_000;
        while (cursor.ready(end)) cursor.take();
        const settled = new Set<number>();
        for (const offset of inOrder ? [...offsets].sort((a, b) => a - b) : offsets) {
          cursor.settle(offset);
          if (offset < end) settled.add(offset);
        }
        expect(cursor.unsettled(end)).toBe(end - settled.size);
        cursor.rewind();
        const again: number[] = [];
        while (cursor.ready(end)) again.push(cursor.take());
        expect(again).toEqual(Array.from({ length: end }, (_, i) => i).filter((offset) => !settled.has(offset)));
      }),
      { numRuns: 30 },
    );
  });

  test('ignores a settlement of what was never delivered', () => {
    const cursor = new Cursor(5);
    cursor.settle(4);
    cursor.settle(7);
    expect([cursor.committed, cursor.unsettled(10)]).toEqual([5, 5]);
  });
});

describe('the hash of keys', () => {
  test('spreads keys that differ little', () => {
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < 8_000; i++) counts[hash(`user-${i}`) % 8] = (counts[hash(`user-${i}`) % 8] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});

describe('the default scheduler', () => {
  test('runs tasks later and in order', async () => {
    const schedule = turnScheduler(virtualClock());
    const order: number[] = [];
    for (const i of [1, 2, 3]) schedule(() => order.push(i));
    expect(order).toEqual([]);
    await Promise.resolve();
    expect(order).toEqual([1, 2, 3]);
  });

  test.each([systemClock, virtualClock])(
    'tasks without end leave timers and sockets their turn (%p)',
    async (clockOf) => {
      const schedule = turnScheduler(clockOf());
      let going = true;
      const again = (): void => {
        if (going) schedule(again);
      };
      schedule(again);
      await new Promise((resolve) => setTimeout(resolve, 20));
      going = false;
    },
  );
});

describe('the virtual clock', () => {
  test('fires what is due, in order of time, then of creation, each at its own time', () => {
    const clock = virtualClock(100);
    const fired: [string, number][] = [];
    const set = (name: string, delay: number) => clock.setTimer(delay, () => fired.push([name, clock.now()]));
    set('late', 30);
    set('early', 10);
    set('same', 30);
    const cancelled = set('cancelled', 20);
    set('never', 31);
    cancelled.cancel();
    clock.setTimer(5, () => set('nested', 5));
    clock.advance(30);
    expect(fired).toEqual([
      ['early', 110],
      ['nested', 110],
      ['late', 130],
      ['same', 130],
    ]);
    expect([clock.now(), clock.monotonic(), clock.timers]).toEqual([130, 30, 1]);
  });

  test('advanceAsync lets promises settle between timers', async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
    const run = async () => {
      for (let i = 0; i < 3; i++) {
        await wait(10);
        seen.push(clock.monotonic());
      }
    };
    const running = run();
    await clock.advanceAsync(100);
    await running;
    expect(seen).toEqual([10, 20, 30]);
  });
});
