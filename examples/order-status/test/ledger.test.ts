import { describe, expect, test } from '@jest/globals';
import { applied, duplicate, failed, idOf, ledgerOf, outOfTurn, started } from './support/entries.js';

describe('Ledger', () => {
  test('counts calls, what they did, and starts', () => {
    const ledger = ledgerOf(
      started,
      applied('o1', 'created'),
      failed('o1', 'paid'),
      applied('o1', 'paid'),
      failed('o1', 'paid', { applied: true }),
      duplicate('o1', 'paid'),
      started,
    );
    expect(ledger).toMatchObject({ starts: 2, received: 4, applied: 2, duplicates: 1, retries: 2, violations: 0 });
    expect(ledger.changesOf('o1').map(({ status }) => status)).toEqual(['created', 'paid']);
    expect([ledger.hasApplied(idOf('o1', 'paid')), ledger.hasApplied(idOf('o1', 'packed'))]).toEqual([true, false]);
  });

  test('what follows a change that was given up is no violation; what comes early is', () => {
    const stuck = ledgerOf(applied('o1', 'created'), failed('o1', 'paid', { last: true }), outOfTurn('o1', 'packed'));
    expect(stuck).toMatchObject({ violations: 0, deadLetters: 2, settled: 3, applied: 1 });
    expect(ledgerOf(applied('o1', 'created'), outOfTurn('o1', 'packed'))).toMatchObject({ violations: 1 });
  });

  test('the same dead letter twice is one, and what was redriven is settled once', () => {
    const ledger = ledgerOf(
      applied('o1', 'created'),
      failed('o1', 'paid', { last: true }),
      outOfTurn('o1', 'packed'),
      outOfTurn('o1', 'packed'),
      applied('o1', 'paid'),
      applied('o1', 'packed'),
    );
    expect(ledger).toMatchObject({ deadLetters: 2, applied: 3, settled: 3, violations: 0 });
  });

  test('a change applied out of turn, or twice, is a violation', () => {
    expect(ledgerOf(applied('o1', 'paid'))).toMatchObject({ violations: 1 });
    expect(ledgerOf(applied('o1', 'created'), applied('o1', 'created'))).toMatchObject({ violations: 1 });
  });
});
