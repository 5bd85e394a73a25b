import { describe, expect, test } from '@jest/globals';
import { Ids } from '../src/producer/ids.js';

const MANY = 2_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('message ids', () => {
  const ids = new Ids();
  const made = Array.from({ length: MANY }, () => ids.next());

  test('are UUIDs of version 4', () => {
    for (const id of made) expect(id).toMatch(UUID);
  });

  test('are never the same, within one producer or over two', () => {
    const other = new Ids();
    for (let i = 0; i < MANY; i++) made.push(other.next());
    expect(new Set(made).size).toBe(2 * MANY);
  });

  test('use every digit in every place that is random', () => {
    const fixed = [8, 13, 14, 18, 19, 23];
    for (const place of Array.from({ length: 36 }, (_, i) => i).filter((i) => !fixed.includes(i))) {
      expect(new Set(made.map((id) => id[place])).size).toBe(16);
    }
  });
});
