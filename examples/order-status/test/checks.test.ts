import { describe, expect, test } from '@jest/globals';
import { type Evidence, problemsOf } from '../src/checks.js';
import type { Entry } from '../src/ledger.js';
import { EXPIRED, PAID, type Status } from '../src/order.js';
import type { Letter } from '../src/repair.js';
import { MAX_ATTEMPTS } from '../src/service.js';
import { applied, ledgerOf, outOfTurn, started } from './support/entries.js';

const GOOD: readonly Entry[] = [
  ...PAID.map((status) => applied('o1', status)),
  ...EXPIRED.map((status) => applied('o2', status)),
  ...EXPIRED.map((status) => applied('o3', status)),
];

const letter = (status: Status, error: string, attempts: number): Letter => ({
  id: `dl-${status}`,
  messageId: status,
  order: 'o1',
  status,
  sequence: 0,
  attempts,
  error,
  message: undefined,
});

const LETTERS = [
  letter('paid', 'UnknownArticle', MAX_ATTEMPTS),
  letter('packed', 'OutOfTurn', 1),
  letter('shipped', 'OutOfTurn', 1),
  letter('delivered', 'OutOfTurn', 1),
];

interface Faults extends Partial<Evidence> {
  readonly stock?: readonly Entry[];
  readonly shipping?: readonly Entry[];
  readonly notice?: readonly Entry[];
}

const judge = ({ stock = GOOD, shipping = [started, started, ...GOOD], notice = GOOD, ...more }: Faults = {}) =>
  problemsOf({
    fates: new Map([
      ['o1', 'paid'],
      ['o2', 'unpaid'],
      ['o3', 'refused'],
    ]),
    ledgers: { stock: ledgerOf(...stock), shipping: ledgerOf(...shipping), notice: ledgerOf(...notice) },
    poison: 'o1',
    letters: LETTERS,
    redriven: 4,
    lettersLeft: 0,
    ...more,
  });

describe('problemsOf', () => {
  test('a good run has none', () => {
    expect(judge()).toEqual([]);
  });

  test('a change that is lost', () => {
    expect(judge({ stock: GOOD.filter((_, n) => n !== 4) })).toEqual([
      'stock: o1 (paid) went created > paid > packed > shipped, wanted created > paid > packed > shipped > delivered.',
    ]);
  });

  test('an order that nobody has heard of, and one that was never created', () => {
    expect(judge({ notice: [...GOOD.slice(0, 7), applied('o9', 'created')] })).toEqual([
      'notice: o3 (refused) went nowhere, wanted created > expired.',
      'notice: o9 was never created.',
    ]);
  });

  test('a paid order that expires all the same', () => {
    expect(judge({ notice: [...GOOD, applied('o1', 'expired')] })).toContain(
      'notice: o1 (paid) went created > paid > packed > shipped > delivered > expired, wanted created > paid > packed > shipped > delivered.',
    );
  });

  test('an effect that happened twice', () => {
    expect(judge({ stock: [...GOOD.slice(0, 5), applied('o1', 'delivered'), ...GOOD.slice(5)] })).toEqual([
      expect.stringContaining('stock: o1 (paid) went created > paid > packed > shipped > delivered > delivered'),
      'stock: 1 changes came in another order than they were sent in.',
    ]);
  });

  test('a change that came too early, though it was applied in the end', () => {
    expect(judge({ notice: [outOfTurn('o1', 'paid'), ...GOOD] })).toEqual([
      'notice: 1 changes came in another order than they were sent in.',
    ]);
  });

  test('an order that expires before its deadline', () => {
    const early = applied('o2', 'expired', { at: 999, deadline: 1_000 });
    expect(judge({ notice: GOOD.map((entry, n) => (n === 6 ? early : entry)) })).toEqual([
      'o2 expired 1 ms before its deadline.',
    ]);
  });

  test('a service that was not killed', () => {
    expect(judge({ shipping: [started, ...GOOD] })).toEqual([
      'shipping was started 1 times, wanted 2: it was to be killed once.',
    ]);
  });

  test('dead letters that are not the poison, were given up too early, or are left', () => {
    expect(judge({ letters: [], redriven: 0 })).toEqual([
      expect.stringMatching(/^Dead letters: found ; wanted o1 paid/),
    ]);
    expect(judge({ letters: [letter('paid', 'UnknownArticle', 1), ...LETTERS.slice(1)] })).toEqual([
      `The poison was given up after 1 calls, wanted ${MAX_ATTEMPTS}.`,
    ]);
    expect(judge({ redriven: 3, lettersLeft: 1 })).toEqual([
      '3 of 4 dead letters were redriven.',
      '1 dead letters are left.',
    ]);
  });

  test('a poison that was not paid in time', () => {
    expect(judge({ poison: 'o2', letters: [], redriven: 0 })).toEqual([
      'o2, which was to be poison, was not paid in time: nothing was repaired.',
    ]);
  });

  test('a fault that touched many orders is told three times and counted', () => {
    const fates = new Map(Array.from({ length: 10 }, (_, n) => [`o${n + 1}`, 'unpaid' as const]));
    const problems = judge({ fates, stock: [] });
    expect(problems.filter((problem) => problem.startsWith('stock: '))).toHaveLength(3);
    expect(problems).toContain('... and 7 more orders like that.');
  });
});
