import type { OutgoingRecord, TopicSpec } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../src/client.js';
import { bucketOf, decode, identityOf, toContent, toProperties } from '../src/codec.js';
import { record, topicSpec } from './support/runtime.js';

const asReceived = (properties: object): Message =>
  ({ fields: { exchange: '', routingKey: '0' }, properties, content: Buffer.alloc(0) }) as unknown as Message;

const headerName = fc.oneof(
  fc
    .stringMatching(/^[A-Za-z0-9._-]{1,20}$/)
    .filter((name) => !/^(anymq-|ce[_-]|cloudevents|content-type$|__proto__$)/i.test(name)),
  fc.constantFrom('CC', 'BCC', 'x-death', 'x-delivery-count', 'x-stream-offset', 'x-first-death-reason', 'constructor'),
);
const unicode = fc.string({ unit: 'binary', maxLength: 40 });
const records = fc.record({
  id: fc.stringMatching(/^[!-~]{1,60}$/),
  key: fc.option(
    unicode.filter((key) => key !== ''),
    { nil: undefined },
  ),
  headers: fc.option(fc.dictionary(headerName, unicode, { minKeys: 1, maxKeys: 6, noNullPrototype: true }), {
    nil: undefined,
  }),
  time: fc.oneof(
    fc.integer({ min: 0, max: 4_000_000_000_000 }),
    fc.constantFrom(0, 1, 99_999_999_999, 100_000_000_000),
  ),
  type: fc.stringMatching(/^[!-~]{1,60}$/),
  contentType: fc.constantFrom('application/json', 'text/plain; charset=utf-8'),
  body: fc.uint8Array({ maxLength: 50 }),
});

describe('the codec', () => {
  test.each(['lean', 'cloudevents'] as const)('gives back what it was given, in the %s form', (envelope) => {
    const topic: TopicSpec = topicSpec('t', { envelope });
    fc.assert(
      fc.property(records, (given: OutgoingRecord) => {
        const { body: _, ...rest } = given;
        expect(decode(asReceived(toProperties(given, topic, 'n')))).toEqual(rest);
        expect(Buffer.compare(toContent(given), given.body)).toBe(0);
      }),
    );
  });

  test('writes the lean form like this', () => {
    const given = record('m-1', 'k', '{}', { headers: { trace: 'x', CC: 'y' } });
    expect(toProperties(given, topicSpec('orders'), 'shop')).toEqual({
      deliveryMode: 2,
      mandatory: true,
      messageId: 'm-1',
      type: 'orders',
      contentType: 'application/json',
      timestamp: 1_763_900_000_123,
      headers: { trace: 'x', 'anymq-h-CC': 'y', 'anymq-key': 'k' },
    });
    expect(toProperties(record('m', undefined, ''), topicSpec('o'), 's').headers).toBeUndefined();
  });

  test('writes CloudEvents like this', () => {
    const { headers } = toProperties(
      record('m-1', 'k', '{}'),
      topicSpec('orders', { envelope: 'cloudevents' }),
      'shop',
    );
    expect(headers).toEqual({
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': 'm-1',
      'cloudEvents:source': '/shop/orders',
      'cloudEvents:type': 'orders',
      'cloudEvents:time': '2025-11-23T12:13:20.123Z',
      'cloudEvents:partitionkey': 'k',
    });
  });

  test('copies no body', () => {
    const body = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    const content = toContent(record('m', 'k', '', { body }));
    expect([content.buffer, [...content]]).toEqual([body.buffer, [2, 3]]);
  });

  test('makes the messages of plain clients readable', () => {
    const headers = {
      text: 'ü',
      number: 1.5,
      flag: true,
      bytes: Buffer.from('é'),
      none: null,
      list: [1, 'a'],
      table: { a: 1 },
      'x-death': [{ count: 1 }],
      'x-delivery-count': 3,
      'x-own': 'kept',
    };
    expect(decode(asReceived({ headers, timestamp: 1_763_900_000, messageId: undefined }))).toEqual({
      id: undefined,
      key: undefined,
      headers: {
        text: 'ü',
        number: '1.5',
        flag: 'true',
        bytes: 'é',
        none: 'null',
        list: '[1,"a"]',
        table: '{"a":1}',
        'x-own': 'kept',
      },
      time: 1_763_900_000_000,
      type: undefined,
      contentType: undefined,
    });
    expect(decode(asReceived({}))).toMatchObject({ id: undefined, headers: undefined, time: undefined });
  });

  test('tells two copies of one message by their id only', () => {
    expect(identityOf(asReceived({ messageId: 'a' }))).toBe('a');
    expect(identityOf(asReceived({ headers: { 'cloudEvents:id': 'b' } }))).toBe('b');
    expect(identityOf(asReceived({}))).toBeUndefined();
  });

  test('puts a key into the bucket that everybody puts it into', () => {
    // CRC-32 of '123456789' is 0xCBF43926.
    expect([bucketOf('123456789', 16), bucketOf('123456789', 256), bucketOf('123456789', 10)]).toEqual([6, 0x26, 2]);
    const keys = ['session-1', 'session-2', 'zażółć', '😀', 'a b'];
    expect(keys.map((key) => bucketOf(key, 16))).toEqual(keys.map((key) => crc32(Buffer.from(key)) % 16));
  });

  test('spreads keys evenly', () => {
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i += 1) counts[bucketOf(`key-${i}`, 16)] = (counts[bucketOf(`key-${i}`, 16)] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });
});

/** As in the zip format, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
