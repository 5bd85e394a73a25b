import type { OutgoingRecord } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryRecord, nativeFields, sizeOf, stored } from '../src/codec.js';
import type { Ownership } from '../src/internal/share.js';

const unicode = fc.string({ unit: 'grapheme' });
const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  id: fc.stringMatching(/^[\x21-\x7e]{1,128}$/),
  key: fc.option(unicode, { nil: undefined }),
  body: fc.uint8Array(),
  headers: fc.option(fc.dictionary(fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/), unicode, { minKeys: 1 }), {
    nil: undefined,
  }),
  time: fc.nat(),
  type: fc.string({ minLength: 1 }),
  contentType: fc.string({ minLength: 1 }),
});

const source = { name: 's', drain: async () => {}, lost() {} };
const ownership = { source, share: { partition: 3 } } as Ownership;

describe('codec', () => {
  test('what was written arrives, field by field', () => {
    fc.assert(
      fc.property(record, (sent) => {
        const arrived = new MemoryRecord(sent, ownership, 7, 2, true);
        expect(arrived).toMatchObject({ ...sent, headers: arrived.headers });
        expect(arrived.headers).toEqual(sent.headers);
        expect(arrived).toMatchObject({ source, position: '3:7', attempts: 2, redelivered: true });
        // Never copied: both sides treat it as immutable.
        expect(arrived.body).toBe(sent.body);
      }),
    );
  });

  test('headers are a copy for each delivery', () => {
    const message = { body: new Uint8Array(), time: 1, headers: { a: '1' } };
    const first = new MemoryRecord(message, ownership, 0, 0, false);
    (first.headers as Record<string, string>).a = 'changed';
    expect(new MemoryRecord(message, ownership, 0, 0, false).headers).toEqual({ a: '1' });
  });

  test('a plain message gets an id from its position and the time of the broker, and is copied', () => {
    const body = new Uint8Array([1]);
    const fields = nativeFields({ body }, 99);
    const message = stored(fields, '3:7', 1);
    body[0] = 2;
    expect(new MemoryRecord(fields, ownership, 7, 0, false).id).toBe('memory:3:7');
    expect(message).toMatchObject({ id: 'memory:3:7', time: 99, key: undefined, headers: undefined, type: undefined });
    expect([...message.body]).toEqual([1]);
  });

  test('a message counts with its body, its headers and an overhead', () => {
    expect(sizeOf(10, undefined)).toBe(266);
    expect(sizeOf(10, { ab: 'cde' })).toBe(276);
  });
});
