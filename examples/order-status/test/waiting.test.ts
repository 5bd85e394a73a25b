import { describe, expect, test } from '@jest/globals';
import { until, type Wait } from '../src/waiting.js';

const wait = (more: Partial<Wait>): Promise<void> =>
  until({
    what: () => 'waited until pigs fly.',
    done: () => false,
    pulse: () => 0,
    signal: new AbortController().signal,
    ...more,
  });

describe('until', () => {
  test('resolves when it is done', async () => {
    let left = 3;
    await wait({ done: async () => --left === 0 });
    expect(left).toBe(0);
  });

  test('nothing that moves is one sentence', async () => {
    await expect(wait({ stallMs: 100 })).rejects.toThrow(
      'Nothing has moved for 0.1 s: waited until pigs fly. Is the broker in good health?',
    );
  });

  test('goes on as long as something moves', async () => {
    let moves = 0;
    await wait({ stallMs: 100, pulse: () => ++moves, done: () => moves > 10 });
    expect(moves).toBeGreaterThan(10);
  });

  test('ends with the reason of what failed', async () => {
    const failure = new AbortController();
    const waiting = wait({ signal: failure.signal });
    failure.abort(new Error('the broker refuses'));
    await expect(waiting).rejects.toThrow('the broker refuses');
  });
});
