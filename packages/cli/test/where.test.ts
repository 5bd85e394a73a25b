import { describe, expect, test } from '@jest/globals';
import { EXIT } from '../src/errors.js';
import { all, parseWhere } from '../src/where.js';
import { letter } from './support/fake-letters.js';

const TIMEOUT = letter();
const NO_CAUSE = letter({
  key: undefined,
  cause: { code: undefined, error: undefined, message: undefined, stack: undefined },
  headers: { tenant: 'acme', 'trace.id': 'a=b' },
  cycles: 3,
});

describe('--where', () => {
  test.each([
    ['code=TIMEOUT', true, false],
    ['code!=TIMEOUT', false, true],
    ['code=', false, true],
    ['code!=', true, false],
    ['code=timeout', false, false],
    ['code~time', true, false],
    ['message~NO ANS', true, false],
    ['error=MessagingError', true, false],
    ['key=o-1', true, false],
    ['key=', false, true],
    ['type=orders.paid', true, true],
    ['cycles=3', false, true],
    ['cycles!=3', true, false],
    ['attempts=5', true, true],
    ['header.tenant=acme', false, true],
    ['header.tenant!=acme', true, false],
    ['header.trace.id=a=b', false, true],
    ['header.constructor=', true, true],
    ['message~', true, true],
  ])('%s', (text, first, second) => {
    const condition = parseWhere(text);
    expect([condition(TIMEOUT), condition(NO_CAUSE)]).toEqual([first, second]);
  });

  test('a value may hold operators and line ends', () => {
    const odd = letter({ key: 'a!=b~c\nd' });
    expect(parseWhere('key=a!=b~c\nd')(odd)).toBe(true);
  });

  test('all must hold', () => {
    const both = all([parseWhere('code=TIMEOUT'), parseWhere('cycles=1')]);
    expect([both(TIMEOUT), both(letter({ cycles: 1 })), all([])(TIMEOUT)]).toEqual([false, true, true]);
  });

  test.each([
    [
      'colour=red',
      "no field 'colour': the fields are code, error, message, key, type, cycles, attempts, header.<name>",
    ],
    ['header.=x', "no field 'header.'"],
    ['toString=x', "no field 'toString'"],
    ['TIMEOUT', "'TIMEOUT' is no condition"],
    ['=x', "'=x' is no condition"],
    ['cycles=many', 'compares a number'],
    ['cycles=03', 'compares a number'],
    ['attempts~3', 'compares a number'],
  ])('%s is refused in one sentence', (text, sentence) => {
    expect(() => parseWhere(text)).toThrow(
      expect.objectContaining({ exitCode: EXIT.usage, message: expect.stringContaining(sentence) }),
    );
  });
});
