import { describe, expect, test } from '@jest/globals';
import type { BehaviourEvent } from '../src/event.js';
import { Funnel } from '../src/funnel.js';
import { Tally } from '../src/tally.js';

const event = (
  event_type: BehaviourEvent['event_type'],
  user_session: string,
  category_code = 'electronics.phone',
  price = 10.1,
): BehaviourEvent => ({
  event_time: '2019-10-01 00:00:00 UTC',
  event_type,
  product_id: '1',
  category_id: '2',
  category_code,
  brand: '',
  price,
  user_id: '3',
  user_session,
});
const rowsOf = (...events: BehaviourEvent[]) => {
  const funnel = new Funnel();
  for (const each of events) funnel.add(each);
  return funnel.rows();
};

describe('funnel', () => {
  test('counts sessions once per category and step, sorted by category', () => {
    const rows = rowsOf(
      event('view', 's1'),
      event('view', 's1'),
      event('cart', 's1'),
      event('purchase', 's1'),
      event('purchase', 's1'),
      event('view', 's2', ''),
      event('view', 's3'),
    );
    expect(rows).toEqual([
      { category: 'electronics', views: 2, carts: 1, purchases: 1, conversion: 0.5, revenue: 20.2 },
      { category: 'unknown', views: 1, carts: 0, purchases: 0, conversion: 0, revenue: 0 },
    ]);
  });

  test('a step before the view, or without it, is not part of it', () => {
    expect(rowsOf(event('purchase', 's1'), event('view', 's1'))).toMatchObject([
      { views: 1, purchases: 0, revenue: 0 },
    ]);
  });

  test('does not depend on how sessions interleave', () => {
    const one = [event('view', 'a'), event('purchase', 'a', 'electronics.phone', 0.1)];
    const two = [event('view', 'b'), event('purchase', 'b', 'electronics.phone', 0.2)];
    expect(rowsOf(...one, ...two)).toEqual(
      rowsOf(two[0] as BehaviourEvent, one[0] as BehaviourEvent, ...two.slice(1), ...one.slice(1)),
    );
  });
});

describe('tally', () => {
  test('tells duplicates from order violations', () => {
    const tally = new Tally();
    expect([
      tally.see('m1', 's', 0),
      tally.see('m3', 's', 2),
      tally.see('m2', 's', 1),
      tally.see('m3', 's', 2),
    ]).toEqual([true, true, true, false]);
    expect(tally).toMatchObject({ handled: 3, duplicates: 1, orderViolations: 1 });
  });
});
