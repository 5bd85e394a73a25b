import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Acks } from '../src/internal/acks.js';

describe('acknowledgements', () => {
  test('are one for what is settled without a gap, and one each for the rest', () => {
    const sent: [number, boolean][] = [];
    const acks = new Acks((tag, upTo) => sent.push([tag, upTo]));
    for (const tag of [1, 2, 3, 5, 7]) acks.settle(tag);
    acks.flush();
    expect(sent.splice(0)).toEqual([
      [3, true],
      [5, false],
      [7, false],
    ]);
    acks.settle(4);
    acks.flush();
    expect(sent.splice(0)).toEqual([[4, true]]);
    acks.settle(6);
    acks.settle(8);
    acks.flush();
    expect(sent.splice(0)).toEqual([[8, true]]);
    acks.flush();
    expect(sent).toEqual([]);
  });

  test('tell the broker each tag once, whatever the order, and never name one twice', () => {
    const shuffled = fc
      .integer({ min: 1, max: 60 })
      .chain((count) => fc.shuffledSubarray(Array.from({ length: count }, (_, i) => i + 1)));
    fc.assert(
      fc.property(shuffled, fc.array(fc.nat(59)), (tags, flushes) => {
        const open = new Set(tags);
        const gone: number[] = [];
        const settled = new Set<number>();
        const acks = new Acks((tag, upTo) => {
          // The broker closes the channel for a tag it does not have.
          expect(open.has(tag)).toBe(true);
          for (const each of [...open])
            if (each === tag || (upTo && each < tag)) {
              expect(settled.has(each)).toBe(true);
              open.delete(each);
              gone.push(each);
            }
        });
        tags.forEach((tag, index) => {
          settled.add(tag);
          acks.settle(tag);
          if (flushes.includes(index)) acks.flush();
        });
        acks.flush();
        expect(gone.sort((a, b) => a - b)).toEqual([...tags].sort((a, b) => a - b));
        expect(acks.pending).toBe(0);
      }),
    );
  });
});
