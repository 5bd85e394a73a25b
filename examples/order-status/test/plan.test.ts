import { describe, expect, test } from '@jest/globals';
import { POISON_ARTICLE } from '../src/catalogue.js';
import { DEADLINE_MS, planOf, poisonOf } from '../src/plan.js';

describe('planOf', () => {
  test('the same seed plans the same orders, another one others', () => {
    expect(planOf(100, 1)).toEqual(planOf(100, 1));
    expect(planOf(100, 1)).not.toEqual(planOf(100, 2));
  });

  test('some never pay, some pay at the deadline on either side of it, most pay before', () => {
    const payments = planOf(1_000, 3).map(({ payAfterMs }) => payAfterMs);
    const paying = payments.filter((ms) => ms !== undefined);
    expect(payments.length - paying.length).toBeGreaterThan(100);
    expect(paying.filter((ms) => ms > DEADLINE_MS).length).toBeGreaterThan(10);
    expect(paying.filter((ms) => ms < DEADLINE_MS && ms > DEADLINE_MS - 250).length).toBeGreaterThan(10);
    expect(paying.filter((ms) => ms <= DEADLINE_MS / 2 + 100).length).toBeGreaterThan(500);
  });

  test.each([10, 11, 200])('of %d orders one is poison, and is paid in time', (orders) => {
    const plan = planOf(orders, 1);
    expect(plan.filter(({ article }) => article === POISON_ARTICLE)).toEqual([poisonOf(plan)]);
    expect(poisonOf(plan).payAfterMs).toBeLessThan(DEADLINE_MS / 2);
  });
});
