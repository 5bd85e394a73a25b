import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../src/config/json.js';

describe('the reader of JSON', () => {
  test('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parseJson(text, 'json')).toEqual(JSON.parse(text));
        expect(parseJson(text, 'jsonc')).toEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[{}[\]:,"\\ 01.eatrufls-]{0,12}$/), (text) => {
        const reference = attempt(() => JSON.parse(text));
        // The one difference: a key that stands twice.
        expect(attempt(() => parseJson(text, 'json'))).toEqual(reference);
      }),
      { numRuns: 5000 },
    );
  });

  test('reads comments and trailing commas in .jsonc', () => {
    const text = '\ufeff// top\n{ /* a */ "a": [1, 2,], // end\n "b": "// no comment", }\n/* last */';
    expect(parseJson(text, 'jsonc')).toEqual({ a: [1, 2], b: '// no comment' });
  });

  test('keeps a key called __proto__ for the schema to refuse', () => {
    expect(Object.keys(parseJson('{"__proto__": 1}', 'json') as object)).toEqual(['__proto__']);
  });

  test.each([
    ['', 'line 1, column 1: expected a value'],
    ['{"a": 1,}', 'line 1, column 9: expected a key in double quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', "line 3, column 3: expected ',' or '}'"],
    ['{"a": hunter2}', 'line 1, column 7: not JSON'],
    ['{"a": "hunter2\n"}', 'line 1, column 7: a string that does not end in its line'],
    ['{"a": "hun\\ter2\\x"}', 'line 1, column 7: a string with a raw control character or a wrong escape'],
    ['{"a" 1}', "line 1, column 6: expected ':'"],
    ['[1', "line 1, column 3: expected ',' or ']'"],
    ['{} {}', 'line 1, column 4: expected the end of the file'],
    ['// note\n{}', 'line 1, column 1: comments need a file that ends in .jsonc'],
    ['{"a": {"b": 1,\n "b": 2}}', "line 2, column 2: key 'b' stands twice in one object"],
  ])('%j is told by place, without the text around it', (text, message) => {
    expect(() => parseJson(text, 'json')).toThrow(message);
    expect(() => parseJson(text, 'json')).not.toThrow(/hunter2/);
  });
});

function attempt(run: () => unknown): unknown {
  try {
    return { value: run() };
  } catch {
    return 'refused';
  }
}
