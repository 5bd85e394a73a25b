import { describe, expect, test } from '@jest/globals';
import { hexDump, jsonBody, readableBody } from '../src/format/body.js';
import { iso, letterJson, letterPage, letterRow } from '../src/format/letter.js';
import { table } from '../src/format/table.js';
import { short, visible } from '../src/format/visible.js';
import { letter } from './support/fake-letters.js';

describe('a body for people', () => {
  test('JSON is indented', () => {
    expect(readableBody(Buffer.from('{"a":[1,{"b":"x, {y}"}],"c":[],"d":{}}'))).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": "x, {y}"\n    }\n  ],\n  "c": [],\n  "d": {}\n}',
    );
  });

  test('numbers and escapes in it stay as they were sent', () => {
    expect(readableBody(Buffer.from('{ "n": 12345678901234567890, "f": 1.0, "s": "\\u00e9\\"" }'))).toBe(
      '{\n  "n": 12345678901234567890,\n  "f": 1.0,\n  "s": "\\u00e9\\""\n}',
    );
  });

  test('what only looks like JSON is text', () => {
    expect(readableBody(Buffer.from('{"a":'))).toBe('{"a":');
  });

  test('text is text, without steering the terminal', () => {
    expect(readableBody(Buffer.from('grüße\n\u001b[2J'))).toBe('grüße\n\\u001b[2J');
  });

  test('everything else is a hex dump', () => {
    expect(readableBody(Uint8Array.from([0xff, 0x41, 0x00]))).toBe(`00000000  ff 41 00${' '.repeat(39)}  |.A.|`);
    expect(hexDump(new Uint8Array(17)).split('\n')[1]).toMatch(/^00000010 {2}00 {47}\|\.\|$/);
  });

  test('nothing is said to be nothing', () => {
    expect(readableBody(new Uint8Array())).toBe('(empty)');
  });
});

describe('a body for programs', () => {
  test('is text where it is text, else base64', () => {
    expect(jsonBody(Buffer.from('é'))).toEqual({ body: 'é', bodyEncoding: 'utf-8' });
    expect(jsonBody(Uint8Array.from([0xff]))).toEqual({ body: '/w==', bodyEncoding: 'base64' });
    expect(jsonBody(Uint8Array.from([0]))).toEqual({ body: 'AA==', bodyEncoding: 'base64' });
  });

  test('keeps a byte order mark', () => {
    expect(jsonBody(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])).body).toBe('\ufeffa');
  });
});

describe('a letter', () => {
  test('is a page with everything on it', () => {
    const page = letterPage(letter({ headers: { tenant: 'acme', evil: '\u001b]0;x\u0007' }, cycles: 2 }));
    for (const part of [
      'l-1',
      'm-1',
      'o-1',
      'shipping',
      '2026-01-02T03:04:05.006Z',
      '2026-01-02T03:05:00.000Z',
      '2026-01-02T03:06:00.000Z',
      'TIMEOUT',
      'MessagingError',
      'no answer',
      'abc',
      'application/json',
      '3:42',
      'tenant  acme',
      '\\u001b]0;x\\u0007',
      'Body, 17 bytes',
      '"orderId": "o-1"',
    ])
      expect(page).toContain(part);
  });

  test('says what it does not know', () => {
    const cause = { code: undefined, error: undefined, message: undefined, stack: undefined };
    const page = letterPage(letter({ key: undefined, position: undefined, cause }));
    expect(page).toMatch(/Cause\n {2}code {5}-/);
    expect(page).toContain('Headers\n  none');
  });

  test('is a row in one line', () => {
    const row = letterRow(letter({ cause: { ...letter().cause, message: `a\n${'b'.repeat(100)}` } }));
    expect(row[4]).toBe(`a ${'b'.repeat(55)}...`);
  });

  test('is an object with its body, and times that people can read', () => {
    expect(letterJson(letter())).toMatchObject({
      id: 'l-1',
      time: '2026-01-02T03:04:05.006Z',
      bodyBytes: 17,
      body: '{"orderId":"o-1"}',
      bodyEncoding: 'utf-8',
      cause: { code: 'TIMEOUT' },
    });
  });

  test('with an impossible time is still shown', () => {
    expect([iso(0), iso(1e20)]).toEqual(['1970-01-01T00:00:00.000Z', '100000000000000000000']);
  });
});

describe('a table', () => {
  test('has columns without lines; numbers to the right, a dash for what is unknown', () => {
    expect(
      table(
        ['GROUP', 'LAG', 'DEAD'],
        [
          ['shipping', 12, undefined],
          ['x', 3, undefined],
        ],
      ),
    ).toBe('GROUP     LAG  DEAD\nshipping   12  -\nx           3  -');
  });

  test('wide characters keep the columns', () => {
    const [, first, second] = table(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['abcd', 'y'],
      ],
    ).split('\n');
    expect([first, second]).toEqual(['日本  x', 'abcd  y']);
  });
});

test('control characters are made visible, a long text is cut', () => {
  expect(visible('a\tb\nc\r\u001b\u009b')).toBe('a\tb\nc\\u000d\\u001b\\u009b');
  expect(short('a  b\nc', 10)).toBe('a b c');
  expect(short('abcdefgh', 6)).toBe('abc...');
});
