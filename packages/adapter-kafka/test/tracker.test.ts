import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode, encode } from '../src/internal/base32768.js';
import { decodeNote, encodeNote, MAX_NOTE_LENGTH, nothingAbove } from '../src/internal/commit-note.js';
import { OffsetTracker, type Progress } from '../src/internal/offset-tracker.js';

describe('base 32768', () => {
  test('gives the bytes back, with at most one zero more, in characters that are no surrogates', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 }), (bytes) => {
        const text = encode(bytes);
        expect(text.isWellFormed()).toBe(true);
        const back = decode(text) as number[];
        expect(back.slice(0, bytes.length)).toEqual(bytes);
        expect(back.slice(bytes.length).every((byte) => byte === 0)).toBe(true);
        expect(back.length - bytes.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('refuses what it cannot have made', () => expect(decode('plain')).toBeUndefined());
});

/** A log with holes, read by one owner after another; each may crash with what it settled last not committed. */
const history = fc.record({
  start: fc.integer({ min: 0, max: 2 ** 45 }),
  gaps: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 }),
  owners: fc.array(
    fc.record({
      reads: fc.integer({ min: 0, max: 40 }),
      steps: fc.array(fc.record({ pick: fc.nat(), what: fc.constantFrom('finish', 'hold'), commit: fc.boolean() }), {
        maxLength: 40,
      }),
      drained: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

interface World {
  committed: { offset: number; text: string };
  finishedDurably: Set<number>;
  attemptsDurably: Map<number, number>;
}

function commit(world: World, tracker: OffsetTracker, finished: Set<number>, attempts: Map<number, number>): void {
  const progress = tracker.progress();
  const { text, complete } = encodeNote('c', progress);
  expect(complete).toBe(true);
  world.committed = { offset: progress.prefix, text };
  world.finishedDurably = new Set([...world.finishedDurably, ...finished]);
  for (const [offset, count] of attempts) world.attemptsDurably.set(offset, count);
}

describe('offset tracker', () => {
  test('nothing finished comes again, nothing unfinished is left out, attempts stay, over any number of owners', () => {
    fc.assert(
      fc.property(history, ({ start, gaps, owners }) => {
        let offset = start;
        const log = gaps.map((gap) => {
          offset += gap + 1;
          return offset;
        });
        const world: World = {
          committed: { offset: start, text: encodeNote('c', nothingAbove(start)).text },
          finishedDurably: new Set(),
          attemptsDurably: new Map(),
        };
        for (const owner of owners) {
          const note = decodeNote(world.committed.offset, world.committed.text);
          expect(note.charter).toBe('c');
          const tracker = new OffsetTracker(note.progress);
          const open: number[] = [];
          const finished = new Set<number>();
          const attempts = new Map<number, number>();
          const unread = log.filter((each) => each >= world.committed.offset);
          for (const each of unread.slice(0, owner.reads)) {
            const known = tracker.deliver(each);
            expect(known === undefined).toBe(world.finishedDurably.has(each));
            if (known === undefined) continue;
            expect(known.attempts).toBe(world.attemptsDurably.get(each) ?? 0);
            if (known.attempts > 0) expect(known.redelivered).toBe(true);
            open.push(each);
          }
          for (const step of owner.steps) {
            if (open.length === 0) break;
            const index = step.pick % open.length;
            const picked = open[index] as number;
            if (step.what === 'finish') {
              open.splice(index, 1);
              expect(tracker.finish(picked)).toBe(true);
              finished.add(picked);
            } else {
              const count = (attempts.get(picked) ?? world.attemptsDurably.get(picked) ?? 0) + 1;
              expect(tracker.hold(picked, count)).toBe(true);
              attempts.set(picked, count);
            }
            if (step.commit) commit(world, tracker, finished, attempts);
          }
          if (owner.drained) commit(world, tracker, finished, attempts);
          expect(tracker.open).toBe(open.length);
        }
        const last = new OffsetTracker(decodeNote(world.committed.offset, world.committed.text).progress);
        const again = log.filter((each) => each >= world.committed.offset && last.deliver(each) !== undefined);
        expect(again).toEqual(log.filter((each) => !world.finishedDurably.has(each)));
      }),
      { numRuns: 300 },
    );
  });

  test('the prefix moves over what does not exist', () => {
    const tracker = new OffsetTracker(nothingAbove(10));
    tracker.deliver(12);
    tracker.deliver(20);
    tracker.finish(12);
    expect(tracker.prefix).toBe(20);
    tracker.finish(20);
    tracker.pass(30);
    expect(tracker.prefix).toBe(30);
  });

  test('memory follows what is unfinished, not what passed', () => {
    const tracker = new OffsetTracker(nothingAbove(0));
    for (let offset = 0; offset < 10_000; offset++) {
      tracker.deliver(offset);
      if (offset > 0) tracker.finish(offset);
    }
    expect(tracker.open).toBe(1);
    expect(tracker.progress()).toEqual({ prefix: 0, finished: [{ from: 1, to: 10_000 }], attempts: [], seen: 10_000 });
  });

  test('what was finished ahead is jumped over', () => {
    const tracker = new OffsetTracker({ prefix: 5, finished: [{ from: 6, to: 100 }], attempts: [], seen: 100 });
    expect(tracker.deliver(5)).toEqual({ attempts: 0, redelivered: true });
    expect(tracker.next).toBe(100);
    expect(tracker.deliver(100)).toEqual({ attempts: 0, redelivered: false });
  });
});

describe('commit note', () => {
  test('a thousand scattered unfinished messages with attempts find room beside the longest charter', () => {
    const finished = Array.from({ length: 1_000 }, (_, i) => ({ from: 1e12 + i * 200 + 1, to: 1e12 + (i + 1) * 200 }));
    const progress: Progress = { prefix: 1e12, finished, attempts: [[1e12, 3]], seen: 1e12 + 200_000 };
    const { text, complete } = encodeNote('x'.repeat(200), progress);
    expect(complete).toBe(true);
    expect(text.length).toBeLessThanOrEqual(MAX_NOTE_LENGTH);
    expect(decodeNote(1e12, text)).toEqual({ charter: 'x'.repeat(200), progress, text });
  });

  test('what finds no room is left out from the end, never wrong', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: 6_000 }), fc.integer({ min: 0, max: 4_000 }), (runs, held) => {
        const finished = Array.from({ length: runs }, (_, i) => ({ from: i * 300 + 1, to: (i + 1) * 300 }));
        const attempts = Array.from({ length: held }, (_, i) => [i * 300, 2] as const);
        const { text } = encodeNote('charter', { prefix: 0, finished, attempts, seen: runs * 300 + 7 });
        expect(text.length).toBeLessThanOrEqual(MAX_NOTE_LENGTH);
        const { progress } = decodeNote(0, text);
        expect(finished.slice(0, progress.finished.length)).toEqual(progress.finished);
        expect(attempts.slice(0, progress.attempts.length)).toEqual(progress.attempts);
      }),
      { numRuns: 20 },
    );
  });

  test.each([null, '', 'plain text of another tool', 'anymq2:1:xabc'])('%j of somebody else is no note', (text) => {
    expect(decodeNote(7, text)).toEqual({ charter: undefined, progress: nothingAbove(7), text: text ?? '' });
  });

  test('a damaged note keeps its charter and forgets the rest', () => {
    const text = 'anymq1:2:hi???';
    expect(decodeNote(7, text)).toEqual({ charter: 'hi', progress: nothingAbove(7), text });
  });
});

test('2,000 held in 200,000 finished ones, as a line of delays has them, find room in one commit', () => {
  const tracker = new OffsetTracker(nothingAbove(2 ** 40));
  const finish = (offset: number): boolean => offset % 100 !== 0;
  for (let offset = 2 ** 40; offset < 2 ** 40 + 200_000; offset++) {
    tracker.deliver(offset);
    if (finish(offset - 2 ** 40)) tracker.finish(offset);
  }
  expect(tracker.open).toBe(2_000);
  const progress = tracker.progress();
  const { text, complete } = encodeNote('c'.repeat(200), progress);
  expect(complete).toBe(true);
  expect(text.length).toBeLessThanOrEqual(MAX_NOTE_LENGTH);
  expect(decodeNote(progress.prefix, text).progress.finished).toEqual(progress.finished);
});
