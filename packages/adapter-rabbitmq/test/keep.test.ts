import { expect, test } from '@jest/globals';
import { type Kept, keep } from '../src/internal/keep.js';
import type { Link } from '../src/internal/link.js';
import { testRuntime } from './support/runtime.js';

/** Something open, which counts how often it was ended. */
class Open implements Kept {
  ends = 0;
  lose: () => void = () => {};
  readonly over = new Promise<void>((resolve) => {
    this.lose = resolve;
  });

  end(): void {
    this.ends += 1;
    this.lose();
  }
}

function setUp(open: () => Promise<Kept>) {
  const closing = new AbortController();
  const first = new Open();
  const link = { up: () => Promise.resolve() } as unknown as Link;
  const settings = { runtime: testRuntime('t'), link, what: 'it', signal: closing.signal, open };
  return { closing, first, keeping: keep(settings, first) };
}

test('what is open is ended with the keeping, and keeping ends with it', async () => {
  const { closing, first, keeping } = setUp(() => Promise.reject(new Error('opened again')));
  closing.abort();
  await keeping;
  expect(first.ends).toBe(1);
});

test('what was being opened when the keeping ended is ended as soon as it stands', async () => {
  const second = new Open();
  let opened: (kept: Kept) => void = () => {};
  let asked: () => void = () => {};
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { closing, first, keeping } = setUp(() => {
    asked();
    return new Promise((resolve) => {
      opened = resolve;
    });
  });
  first.lose();
  await asking;
  closing.abort();
  expect(second.ends).toBe(0);
  opened(second);
  await keeping;
  expect([first.ends, second.ends]).toEqual([0, 1]);
});
