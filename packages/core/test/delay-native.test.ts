import { expect, test } from '@jest/globals';
import { LevelPolicy } from '../src/delay/level.js';
import { delayLines, lineFor, NATIVE_LEAD_MS } from '../src/delay/lines.js';
import { silentLogger } from '../src/logger.js';

const native = delayLines('full', true);
const emulated = delayLines('full', false);

test('where the broker holds messages back, the gate gets only what is due', () => {
  expect([1, 500, 86_400_000].map((leftMs) => lineFor(native, leftMs).name)).toEqual(
    Array.from({ length: 3 }, () => 'anymq.delay.native'),
  );
  expect(lineFor(native, 0).name).toBe('anymq.delay.gate');
  const policy = new LevelPolicy({
    dwellMs: undefined,
    delays: {} as never,
    post: {} as never,
    log: silentLogger,
    now: () => 0,
  });
  const dueAt = (deliverAt: number, now: number) =>
    policy.dueAt({ note: { delay: { deliverAt, enteredAt: 0 } } } as never, now);
  expect(dueAt(10_000, 10_000 - NATIVE_LEAD_MS)).toBe(10_000);
  // The broker's clock is an hour ahead: it gets it again, but not at once.
  expect(dueAt(3_600_000, 0)).toBe(60_000);
});

test('a line is for what still has its head start when it leaves', () => {
  const ends = [0, 2_299, 2_300, 6_299, 6_300, 61_300, 1_001_300, 86_400_000].map((leftMs) =>
    lineFor(emulated, leftMs).name.slice('anymq.delay.'.length),
  );
  expect(ends).toEqual(['gate', 'gate', 'line-1s', 'line-1s', 'line-5s', 'line-60s', 'line-1000s', 'line-1000s']);
});
