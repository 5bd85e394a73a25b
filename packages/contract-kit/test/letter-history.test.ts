import { describe, expect, test } from '@jest/globals';
import {
  type CheckOptions,
  type CheckResult,
  checkConservation,
  checkCrashes,
  checkDuplicates,
  checkLetters,
  checkLost,
  checkRedrives,
  checkSkip,
  createRecorder,
  type History,
  type HistoryEvent,
  historyOf,
  parseLines,
} from '../src/index.js';
import { begin, crash, end, letter, listing, member, sending, sent } from './support/events.js';

const SENT = [sending(0, 1), sent(1, 1), sending(2, 2), sent(3, 2)];
/** The first message is given up, the second handled. */
const GIVEN_UP = [
  ...[begin(10, 1), end(11, 1, 'c1', 'rejected'), letter(12, 1, 'kept')],
  ...[begin(20, 2), end(21, 2)],
];
const LISTED = [letter(90, 1, 'listed', 'l'), listing(91, 1)];
/** Its letter is kept. */
const KEPT = [...SENT, ...GIVEN_UP, ...LISTED];

const redriving = (t: number, process = 'r1') => letter(t, 1, 'redriving', process);
const removed = (t: number, process = 'r1') => letter(t, 1, 'removed', process);
const again = (t: number) => [begin(t, 1), end(t + 1, 1)];
/** Its letter is redriven by one process. */
const REDRIVEN = [...SENT, ...GIVEN_UP, redriving(30), removed(32), ...again(40), listing(91, 0)];
/** Who redrives is killed between the message and the removal, another one goes on: the message is handled once more. */
const RESUMED = [
  ...[...SENT, ...GIVEN_UP, redriving(30), crash(31, 'r1', 'redriven', 1), member(31, 'r1', 'killed')],
  ...[...again(40), redriving(50, 'r2'), removed(51, 'r2'), ...again(60), listing(91, 0)],
];
/** A member is killed between the letter and the settlement. */
const LETTERED = [
  ...[...SENT, ...GIVEN_UP, crash(22, 'c1', 'lettered', 1), member(22, 'c1', 'killed')],
  ...[begin(40, 1, 'c2'), end(41, 1, 'c2', 'rejected'), letter(42, 1, 'kept', 'c2'), ...LISTED],
];
/** Removed although nobody killed who redrove it, and redriven again. */
const TWICE = [...REDRIVEN, redriving(50, 'r2'), removed(51, 'r2'), ...again(60)];
const without = (events: readonly HistoryEvent[], ...gone: readonly HistoryEvent[]) =>
  events.filter((event) => !gone.includes(event));

type Checker = (history: History, options?: CheckOptions) => CheckResult;
const CHECKERS: readonly Checker[] = [
  ...[checkLost, checkConservation, checkDuplicates, checkSkip],
  ...[checkLetters, checkRedrives],
];
const GOOD: readonly (readonly [string, readonly HistoryEvent[], CheckOptions])[] = [
  ['a letter that is kept', KEPT, {}],
  ['one that is redriven', REDRIVEN, { redriven: true }],
  ['a redrive that was killed and resumed', RESUMED, { redriven: true, crashPoint: 'redriven' }],
  ['a member that was killed after a letter', LETTERED, { crashPoint: 'lettered' }],
];
const BAD: readonly (readonly [Checker, string, readonly HistoryEvent[], CheckOptions?])[] = [
  [checkLost, 'a message that was given up and is no letter', [...SENT, ...GIVEN_UP, listing(91, 0)]],
  [checkLost, 'a letter that nobody found at the end', [...SENT, ...GIVEN_UP]],
  [checkLost, 'a redriven message that never came', without(REDRIVEN, ...REDRIVEN.slice(11, 13))],
  [checkConservation, 'a message that is neither handled nor a letter', [...SENT, ...GIVEN_UP, listing(91, 0)]],
  [checkLetters, 'a message without its letter', [...SENT, ...GIVEN_UP, listing(91, 0)]],
  [checkLetters, 'two letters of a message', [...KEPT.slice(0, -1), letter(90, 1, 'listed', 'l', 'x'), listing(91, 2)]],
  [checkLetters, 'a letter of what was handled', [...KEPT.slice(0, -1), letter(90, 2, 'listed', 'l'), listing(91, 2)]],
  [checkLetters, 'a letter that came back', [...REDRIVEN.slice(0, -1), ...LISTED], { redriven: true }],
  [checkRedrives, 'a letter that is redriven again after its removal', TWICE],
  [checkRedrives, 'more in flight than is promised', RESUMED, { redrivingAtOnce: 0 }],
  [checkDuplicates, 'a second call after one redrive', [...REDRIVEN, ...again(60)]],
  [checkDuplicates, 'a third call after a redrive that was killed once', [...RESUMED, ...again(70)]],
  [checkDuplicates, 'a message that is given up twice, its settlement known', [...KEPT, ...again(5_000)]],
  [checkSkip, 'the second before the first was given up', without(KEPT, ...KEPT.slice(5, 7))],
];

describe('checkers of dead letters', () => {
  const good = GOOD.flatMap(([what, events, options]) =>
    [...CHECKERS, ...(options.crashPoint === undefined ? [] : [checkCrashes])].map(
      (check) => [check.name, what, check, events, options] as const,
    ),
  );
  test.each(good)('%s passes %s', (_, __, check, events, options) => {
    expect(check(historyOf(events), options)).toMatchObject({ ok: true, violations: [] });
  });

  test.each(BAD.map(([check, what, events, options]) => [check.name, what, check, events, options] as const))(
    '%s finds %s',
    (_, __, check, events, options) => {
      const { ok, violations } = check(historyOf(events), options);
      expect(ok).toBe(false);
      expect(violations.length).toBeGreaterThan(0);
    },
  );

  test('a killed redrive excuses one call more, and is counted with its bound', () => {
    const figures = { duplicates: 1, allowed: 1 };
    expect(checkDuplicates(historyOf(RESUMED), { redriven: true }).figures).toEqual(figures);
    expect(checkRedrives(historyOf(RESUMED)).figures).toEqual({ redriven: 1, redrivenAgain: 1, redrivingAtKills: 1 });
  });

  test('what is given up is in flight until its letter is stored, and may be settled', () => {
    const killed = (t: number) => checkDuplicates(historyOf([...KEPT, member(t, 'c1', 'killed'), ...again(5_000)]));
    expect(killed(1_000).ok).toBe(true);
    expect(killed(1_020).ok).toBe(false);
    const unkept = KEPT.filter((event) => event.kind !== 'letter' || event.change !== 'kept');
    expect(checkDuplicates(historyOf([...unkept, member(4_000, 'c1', 'killed'), ...again(5_000)])).ok).toBe(true);
  });

  test('what stands behind a message that is not through is in flight where settlements only say up to where', () => {
    const placeOf = (position: string) => ({ source: '0', place: Number(position) });
    // The second waits for the letter of the first, and for the settlement of both.
    const events = KEPT.filter((event) => event.kind !== 'letter' || event.change !== 'kept');
    const killed = (t: number, options: CheckOptions, ...more: readonly HistoryEvent[]) => {
      const [kill, again] = [member(t, 'c1', 'killed'), [begin(9_000, 2, 'c2'), end(9_001, 2, 'c2')]];
      return checkDuplicates(historyOf([...events, ...more, kill, ...again]), options).ok;
    };
    expect(killed(4_000, {})).toBe(false);
    expect(killed(4_000, { placeOf })).toBe(true);
    expect(killed(4_000, { placeOf }, letter(3_500, 1, 'kept'))).toBe(true);
    expect(killed(4_000, { placeOf }, letter(2_900, 1, 'kept'))).toBe(false);
  });

  test('a letter that was written again after its removal may be redriven again', () => {
    expect(checkRedrives(historyOf([...TWICE, letter(45, 1, 'kept')])).ok).toBe(true);
  });

  test.each([
    ['nobody listed the letters', checkLetters, [...SENT, ...GIVEN_UP], {}, /nobody listed/],
    ['a listing lacks lines', checkLetters, [...KEPT.slice(0, -1), listing(91, 2)], {}, /of 2 letters/],
    ['nothing was given up', checkLetters, SENT, { redriven: true }, /nothing was given up/],
    ['nothing was redriven', checkRedrives, KEPT, { redriven: true }, /nothing was redriven/],
    ['nobody died', checkCrashes, KEPT, { crashPoint: 'lettered' }, /nobody died/],
    ['somebody died elsewhere', checkCrashes, LETTERED, { crashPoint: 'redriven' }, /nobody died/],
    ['what it held did not come again', checkCrashes, LETTERED.slice(0, -3), { crashPoint: 'lettered' }, /not come/],
    ['the letter was not kept before', checkCrashes, LETTERED.toSpliced(6, 1), { crashPoint: 'lettered' }, /not come/],
    [
      'what a handler had done did not come again',
      checkCrashes,
      [...KEPT, crash(95, 'c1', 'handled', 2)],
      { crashPoint: 'handled' },
      /not come/,
    ],
  ] as const)('cannot tell: %s', (_, check: Checker, events, options, why) => {
    const { ok, unknown, violations } = check(historyOf(events), options);
    expect({ ok, violations }).toEqual({ ok: false, violations: [] });
    expect(unknown).toMatch(why);
  });

  test('what a handler had done and not settled came again: it died there', () => {
    const events = [...KEPT, crash(95, 'c1', 'handled', 2), begin(99, 2, 'c2'), end(100, 2, 'c2')];
    expect(checkCrashes(historyOf(events), { crashPoint: 'handled' }).ok).toBe(true);
  });
});

test('letters, listings and crashes read back as they were written', () => {
  let text = '';
  const write = (lines: string): void => {
    text += lines;
  };
  const sink = { write, close: () => {} };
  const recorder = createRecorder(sink, 'c1', () => 7);
  recorder.letter('g', { id: 'm1', letter: 'l1', change: 'kept' });
  expect(text).toBe('');
  recorder.letter('g', { id: 'm1', change: 'redriving' });
  recorder.listing('g', 1);
  recorder.crash('lettered', ['m1']);
  const about = { t: 7, process: 'c1' };
  expect(parseLines(text).events).toEqual([
    { ...about, kind: 'letter', group: 'g', id: 'm1', letter: 'l1', change: 'kept' },
    { ...about, kind: 'letter', group: 'g', id: 'm1', change: 'redriving' },
    { ...about, kind: 'listing', group: 'g', count: 1 },
    { ...about, kind: 'crash', point: 'lettered', ids: ['m1'] },
  ]);
  expect(() => parseLines(text.replace('redriving', 'redrivn'))).toThrow(/change/);
  expect(() => parseLines(text.replace('["m1"]', '"m1"'))).toThrow(/ids/);
});
