import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ByteCredit } from '../src/adapter/index.js';

describe('byte credit', () => {
  test('lets through what fits, and a larger one than everything only alone', () => {
    const credit = new ByteCredit(10);
    expect(credit.take(1)).toBe(false);
    credit.add(10);
    expect([credit.take(6), credit.take(5)]).toEqual([true, false]);
    credit.add(6);
    expect([credit.take(11), credit.take(1)]).toEqual([true, false]);
    credit.add(11);
    expect(credit.take(11)).toBe(true);
  });

  test('keeps what a large one waits for from small ones', () => {
    const credit = new ByteCredit(10);
    credit.add(10);
    expect([credit.take(5), credit.take(8), credit.take(1)]).toEqual([true, false, false]);
    credit.add(3);
    expect([credit.take(8), credit.take(1)]).toEqual([true, false]);
  });

  test('never lets more through than the maximum, unless it is one alone; and never gets stuck', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, (waiting) => {
        const credit = new ByteCredit(20);
        credit.add(20);
        const flying: number[] = [];
        for (const size of waiting) {
          while (!credit.take(size)) credit.add(flying.shift() ?? Number.NaN);
          flying.push(size);
          const sum = flying.reduce((all, one) => all + one, 0);
          expect(sum <= 20 || flying.filter((one) => one > 0).length === 1).toBe(true);
        }
      }),
    );
  });
});
