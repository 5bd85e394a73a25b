import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../src/utf8.js';

// Beyond what one piece of memory gives away at once, and often enough to go through several pieces.
const texts = fc.array(fc.string({ unit: 'binary', maxLength: 4_000, size: 'max' }), { maxLength: 60 });

test('utf8() is what Buffer.from makes of a text, and later texts leave the bytes alone', () => {
  fc.assert(
    fc.property(texts, (all) => {
      const bodies = all.map(utf8);
      for (const [i, text] of all.entries()) {
        const body = bodies[i] as Uint8Array;
        expect(Buffer.compare(body, Buffer.from(text))).toBe(0);
        body.fill(0);
      }
    }),
    { numRuns: 50 },
  );
});
