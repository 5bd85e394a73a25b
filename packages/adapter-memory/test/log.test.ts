import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type MessageFields, sizeOf } from '../src/codec.js';
import { PlainLog } from '../src/internal/log.js';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const optional = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(what, { nil: undefined });

const messages: fc.Arbitrary<MessageFields> = fc.record({
  id: optional(text),
  key: optional(text),
  // Some fill a segment, or more.
  body: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 10_000, max: 20_000 }).map((length) => new Uint8Array(length).fill(length)),
  ),
  headers: optional(fc.dictionary(text, text, { maxKeys: 2 })),
  time: fc.nat(),
  type: fc.constantFrom('order', 'refund', undefined),
  contentType: fc.constantFrom('application/json', undefined),
});

const plain = ({ body, ...rest }: MessageFields) => ({ ...rest, body: Buffer.from(body).toString('latin1') });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ append: messages }) },
  { weight: 1, arbitrary: fc.record({ archive: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 2, arbitrary: fc.constant({ drop: true } as const) },
);

describe('a log', () => {
  test('gives what it was given, in its place, however much of it is archived and dropped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log = new PlainLog();
        const all: MessageFields[] = [];
        let start = 0;
        for (const next of steps) {
          if ('append' in next) log.append(next.append, 10 * (all.push(next.append) - 1));
          else if ('archive' in next) log.archive(Math.round(next.archive * all.length));
          else if (start < all.length) {
            const { body, headers } = all[start] as MessageFields;
            expect(log.droppable(all.length)).toBe(10 * start);
            expect(log.drop()).toBe(sizeOf(body.length, headers));
            start += 1;
          } else expect(log.drop()).toBeUndefined();
          expect([log.start, log.end]).toEqual([start, all.length]);
        }
        const kept = all.slice(start);
        expect(kept.map((_, i) => plain(log.get(start + i) as MessageFields))).toEqual(kept.map(plain));
        expect(start === 0 ? undefined : log.get(start - 1)).toBeUndefined();
        expect([...log.stored(3)].map(({ position, sequence }) => [position, sequence])).toEqual(
          kept.map((_, i) => [`3:${start + i}`, 10 * (start + i)]),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('uses the memory of what was dropped again, and changes nothing that was read before', () => {
    const log = new PlainLog();
    const bodyOf = (n: number): Uint8Array => new Uint8Array(1_000).fill(n % 251);
    const read: MessageFields[] = [];
    for (let n = 0; n < 5_000; n += 1) {
      log.append({ id: `m${n}`, key: `k${n % 7}`, body: bodyOf(n), time: n }, n);
      if (n % 300 === 0) log.archive(log.end);
      if (n >= 2_000) log.drop();
      if (n % 500 === 499) read.push(log.get(log.start) as MessageFields);
    }
    expect([log.start, log.end, log.get(2_999)]).toEqual([3_000, 5_000, undefined]);
    for (let n = 3_000; n < 5_000; n += 1) expect(log.get(n)?.id).toBe(`m${n}`);
    const wrong = [...read, ...[...log.stored(0)]].filter(({ body, time }) => Buffer.compare(body, bodyOf(time)) !== 0);
    expect(wrong).toEqual([]);
  });
});
