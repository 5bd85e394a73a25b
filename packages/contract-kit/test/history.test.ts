import { describe, expect, test } from '@jest/globals';
import {
  type CheckOptions,
  type CheckResult,
  checkConservation,
  checkDuplicates,
  checkFinality,
  checkHappened,
  checkLiveness,
  checkLost,
  checkOrder,
  checkOverlap,
  checkPhantom,
  checkRefused,
  checkSkip,
  createRecorder,
  type History,
  type HistoryEvent,
  historyOf,
  judge,
  MalformedLine,
  parseLines,
} from '../src/index.js';
import { at, begin, end, fault, member, sending, sent, settled } from './support/events.js';

/** Two messages of one key, sent and handled one after the other. */
const GOOD = [
  ...[sending(0, 1), sent(1, 1), sending(2, 2), sent(3, 2)],
  ...[begin(10, 1), end(11, 1), settled(12, 1), begin(20, 2), end(21, 2)],
];
const without = (kind: string, id: string) =>
  GOOD.filter((event) => event.kind !== kind || !('id' in event) || event.id !== id);

type Checker = (history: History, options?: CheckOptions) => CheckResult;
const BAD: readonly (readonly [Checker, string, readonly HistoryEvent[]])[] = [
  [checkLost, 'a confirmed message that nobody handled', [...GOOD, sending(5, 3), sent(6, 3)]],
  [checkPhantom, 'a message that nobody sent', [...GOOD, begin(30, 9), end(31, 9)]],
  [checkPhantom, 'a message under another key', [...without('begin', 'm2'), begin(20, 2, 'c1', 'other')]],
  [
    checkRefused,
    'a refused message that came',
    [...without('sent', 'm2'), at(3, 'p', { kind: 'refused', id: 'm2', code: 'X' })],
  ],
  [checkDuplicates, 'a second call without any fault', [...GOOD, begin(5_000, 2), end(5_001, 2)]],
  [
    checkDuplicates,
    'a third call after one fault',
    [...GOOD, fault(20, 'begin'), fault(21, 'heal'), begin(30, 2), end(31, 2), begin(40, 2), end(41, 2)],
  ],
  [
    checkOrder,
    'the second before the first',
    [...GOOD.slice(0, 4), begin(10, 2), end(11, 2), begin(20, 1), end(21, 1)],
  ],
  [
    checkOverlap,
    'two calls of a key at once',
    [...GOOD.slice(0, 4), begin(10, 1), begin(11, 2, 'c2'), end(12, 2, 'c2'), end(13, 1)],
  ],
  [
    checkSkip,
    'the second although the first was never acknowledged',
    [...GOOD.slice(0, 4), begin(10, 1), member(11, 'c1', 'killed'), begin(20, 2, 'c2'), end(21, 2, 'c2')],
  ],
  [checkFinality, 'a settled message that came again', [...GOOD, begin(30, 1), end(31, 1)]],
  [checkConservation, 'more handled than sent', [...GOOD, begin(30, 9), end(31, 9)]],
  [checkHappened, 'an end without its begin', [...GOOD, end(40, 7)]],
];

describe('checkers', () => {
  const all = [...new Set(BAD.map(([check]) => check))].filter((check) => check !== checkHappened);
  test.each(all.map((check) => [check.name, check] as const))('%s passes a good history', (_, check) => {
    expect(check(historyOf(GOOD))).toMatchObject({ ok: true, violations: [] });
  });

  test.each(BAD.map(([check, what, events]) => [check.name, what, check, events] as const))(
    '%s finds %s',
    (_, __, check, events) => {
      const { ok, violations } = check(historyOf(events));
      expect(ok).toBe(false);
      expect(violations.length).toBeGreaterThan(0);
    },
  );

  test('a fault excuses one more call of what was in flight, unless it was a graceful change', () => {
    const history = historyOf([...GOOD, fault(20, 'begin'), fault(21, 'heal', { proof: 1 }), begin(30, 2), end(31, 2)]);
    expect(checkDuplicates(history)).toMatchObject({ ok: true, figures: { duplicates: 1 } });
    expect(checkDuplicates(history, { graceful: ['cut'] }).ok).toBe(false);
  });

  test('a broker that holds messages back may double what it confirmed just before its end, and nothing older', () => {
    const broken = [fault(5_000, 'begin'), fault(6_000, 'heal', { proof: 1 })];
    const twice = [begin(9_000, 1), end(9_001, 1), begin(9_500, 1), end(9_501, 1)];
    const check = (t: number, options = {}) =>
      checkDuplicates(historyOf([sending(t - 1, 1), sent(t, 1), ...broken, ...twice]), options);
    expect(check(4_000).ok).toBe(false);
    const doubles = { delayMs: 1_000_000, withinMs: 3_000 };
    expect(check(4_000, { doubles })).toMatchObject({ ok: true, figures: { duplicates: 1, allowed: 1 } });
    expect(check(1_500, { doubles }).ok).toBe(false);
  });

  test('what was due just before a broker was killed may be let go twice, beside what it held twice', () => {
    const killed = [fault(5_000, 'begin'), fault(6_000, 'heal', { proof: 1 })];
    const calls = [begin(4_000, 1), end(4_001, 1)];
    const allowed = (t: number, delayMs: number, withinMs: number): unknown =>
      checkDuplicates(historyOf([sending(t - 1, 1), sent(t, 1), ...calls, ...killed]), {
        settleWithinMs: 0,
        doubles: { delayMs, withinMs },
      }).figures.allowed;
    expect(allowed(3_000, 1_500, 1_000)).toBe(1);
    expect(allowed(3_000, 900, 1_000)).toBe(0);
    expect(allowed(3_000, 2_500, 1_000)).toBe(0);
    expect(allowed(3_000, 1_500, 2_500)).toBe(2);
  });

  test('a fault that finds the send unanswered and a call unsettled excuses a copy and a repetition, no more', () => {
    const both = [sending(1, 1), begin(2, 1), end(3, 1), fault(4, 'begin'), fault(5, 'heal', { proof: 1 }), sent(6, 1)];
    const again = (t: number): HistoryEvent[] => [begin(t, 1), end(t + 1, 1)];
    const check = (...events: HistoryEvent[]) => checkDuplicates(historyOf([...both, ...events]));
    expect(check(...again(5_000), ...again(6_000))).toMatchObject({ ok: true, figures: { duplicates: 2, allowed: 2 } });
    expect(check(...again(5_000), ...again(6_000), ...again(7_000)).ok).toBe(false);
  });

  test('a send that waited in its process was not in flight; one that was written and not answered was', () => {
    const writing = (t: number): HistoryEvent => at(t, 'p', { kind: 'writing', id: 'm2' });
    const cut = [fault(2.2, 'begin'), fault(2.4, 'heal', { proof: 1 })];
    const again = [...GOOD, ...cut, begin(5_000, 2), end(5_001, 2)];
    const allowed = (...events: HistoryEvent[]) => checkDuplicates(historyOf([...again, ...events])).figures.allowed;
    expect(allowed()).toBe(1);
    expect(allowed(writing(2.1))).toBe(1);
    expect(allowed(writing(2.3))).toBe(1);
    expect(allowed(writing(2.5))).toBe(0);
    expect(allowed(writing(2.1), writing(2.5))).toBe(1);
  });

  test('who sends a message on excuses a copy of what it may have written, and one of what it had not settled', () => {
    const again = (t: number) => [begin(t, 2), end(t + 1, 2)];
    const step = (t: number, kind: string, process = 'f1') => at(t, process, { kind, step: 'line', id: 'm2' });
    const way = [step(4, 'held'), step(8, 'passed')];
    const found = (...events: HistoryEvent[]) =>
      checkDuplicates(historyOf([...GOOD, ...way, ...again(5_000), ...again(6_000), ...events]), { settleWithinMs: 3 });
    const cut = (from: number, to: number) => [fault(from, 'begin'), fault(to, 'heal', { proof: 1 })];
    expect(found(...cut(5, 6))).toMatchObject({ ok: true, figures: { duplicates: 2, allowed: 2 } });
    expect(found(...cut(9, 9.5))).toMatchObject({ ok: false, figures: { allowed: 1 } });
    expect(found(...cut(15, 16)).figures.allowed).toBe(0);
    expect(found(member(6, 'f2', 'killed')).figures.allowed).toBe(0);
    expect(found(member(6, 'f1', 'killed')).figures.allowed).toBe(1);
    // Another step is as much again.
    const next = [at(9, 'f2', { kind: 'held', step: 'gate', id: 'm2' })];
    expect(found(...next, ...cut(9, 9.5)).figures.allowed).toBe(3);
  });

  test('what was never held cannot be passed on', () => {
    const passed = at(4, 'f1', { kind: 'passed', step: 'line', id: 'm2' });
    expect(checkHappened(historyOf([...GOOD, passed]), { minOperations: 1, faultFree: true }).ok).toBe(false);
  });

  test('what a run does not promise is not held against it', () => {
    const history = historyOf([...GOOD, begin(5_000, 2), end(5_001, 2)]);
    const names = (options: CheckOptions) => judge(history, options).checks.map(({ name }) => name);
    expect(names({})).toContain('duplicates');
    expect(names({ except: ['duplicates'] })).not.toContain('duplicates');
  });

  test('a fault is noticed when those that it hit have come again', () => {
    const cut = (rest: object) => historyOf([...GOOD, fault(30, 'begin'), fault(31, 'heal', { proof: 1, ...rest })]);
    const options = { minOperations: 1 };
    expect(checkHappened(cut({}), options).unknown).toMatch(/nobody noticed/);
    expect(checkHappened(cut({ noticed: 0 }), options).unknown).toMatch(/nobody noticed/);
    expect(checkHappened(cut({ noticed: 1 }), options).ok).toBe(true);
    expect(checkHappened(cut({ noticed: 1, proof: 0 }), options).unknown).toMatch(/nothing proves/);
  });

  test('what another process had in flight is not excused by a kill', () => {
    const history = historyOf([...GOOD, member(20, 'c9', 'killed'), begin(30, 2), end(31, 2)]);
    expect(checkDuplicates(history).ok).toBe(false);
  });

  test('a killed process holds no key, a stopped one for as long as its lease', () => {
    const calls = [begin(10, 1), begin(30, 1, 'c2'), end(31, 1, 'c2')];
    expect(checkOverlap(historyOf([...calls, member(11, 'c1', 'killed')])).ok).toBe(true);
    const stopped = historyOf([...calls, member(11, 'c1', 'stopped'), member(90, 'c1', 'continued')]);
    expect(checkOverlap(stopped, { staleMs: 10 }).ok).toBe(true);
    expect(checkOverlap(stopped, { staleMs: 40 }).ok).toBe(false);
    // The stop is said a moment before it is done.
    const before = historyOf([...calls, member(9, 'c1', 'stopped'), member(90, 'c1', 'continued')]);
    expect(checkOverlap(before, { staleMs: 10 }).ok).toBe(true);
  });

  test('liveness measures from the heal, and is held to its bounds', () => {
    const history = historyOf([...GOOD, fault(1, 'begin'), fault(2, 'heal')]);
    expect(checkLiveness(history).figures).toEqual({ resumeSendMs: 1, resumeHandleMs: 8 });
    expect(checkLiveness(history, { resumeHandleWithinMs: 5 }).violations).toHaveLength(1);
    expect(checkLiveness(historyOf([...GOOD, fault(50, 'begin'), fault(60, 'heal')])).unknown).toMatch(
      /nothing was left/,
    );
  });
});

describe('a verdict', () => {
  const options = { minOperations: 4 };
  const slow = [sending(2, 3, 'slow'), sent(200, 3), begin(201, 3, 'c1', 'slow'), end(202, 3)];
  const faulty = (proof: number) => historyOf([...GOOD, ...slow, fault(1.5, 'begin'), fault(4, 'heal', { proof })]);

  test('is pass for a good run without faults, or with one that happened and was noticed', () => {
    expect(judge(historyOf(GOOD), { ...options, faultFree: true }).verdict).toBe('pass');
    expect(judge(faulty(1), options).verdict).toBe('pass');
  });

  test.each([
    ['no fault', historyOf(GOOD), options],
    ['no proof', faulty(0), options],
    ['nobody noticed', historyOf([...GOOD, fault(1.5, 'begin'), fault(2.5, 'heal', { proof: 1 })]), options],
    ['too few operations', faulty(1), { minOperations: 1_000 }],
    ['nothing confirmed', historyOf([]), { faultFree: true, minOperations: 0 }],
  ])('is unknown: %s', (_, history, given) => {
    expect(judge(history, given).verdict).toBe('unknown');
  });

  test('is fail as soon as anything is violated, proven fault or not', () => {
    expect(judge(historyOf([...GOOD, sending(5, 3), sent(6, 3)]), options).verdict).toBe('fail');
  });
});

describe('a recording', () => {
  test('reads back as it was written, and a torn last line is counted and left out', () => {
    let text = '';
    const write = (lines: string): void => {
      text += lines;
    };
    const sink = { write, close: () => {} };
    const recorder = createRecorder(sink, 'c1', () => 7);
    recorder.sending({ id: 'a', n: 1 });
    expect(text).toBe('');
    recorder.sent('a');
    recorder.close();
    const { events, torn } = parseLines(`${text}{"t":8,"proc`);
    expect(events.map(({ kind }) => kind)).toEqual(['sending', 'sent']);
    expect(torn).toBe(1);
  });

  test('is refused where a line in the middle is no event', () => {
    expect(() => parseLines('{"t":1}\n', 'file')).toThrow(MalformedLine);
    expect(() => parseLines('{"t":1}\n', 'file')).toThrow(/file:1: kind/);
  });
});
