import type { OutgoingRecord, TopicSpec } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode, encode, laneOf, messageGroupOf, type NativeDelivery, type NativeMessage } from '../src/codec.js';
import { record, topicSpec } from './support/runtime.js';

/** What the broker makes of a message: empty values are dropped, properties come sorted. */
function asReceived(message: NativeMessage, messageId = 'M1'): NativeDelivery {
  const kept = new Map(message.properties.filter(([, value]) => value !== '').toSorted());
  return {
    messageId,
    receiptHandle: 'h',
    body: message.body,
    messageGroup: message.messageGroup ?? '',
    bornAt: message.bornAt,
    deliveryAttempt: 1,
    queue: 'b/0',
    offset: 0,
    properties: (each) => kept.forEach(each),
  };
}

const bare = (changes: Partial<NativeDelivery> = {}): NativeDelivery => ({
  ...asReceived({
    body: Buffer.from('x'),
    keys: [],
    messageGroup: undefined,
    bornAt: 5,
    deliverAt: undefined,
    properties: [],
  }),
  ...changes,
});

const headerName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
  fc.constantFrom(
    'KEYS',
    'TAGS',
    'DELAY',
    'UNIQ_KEY',
    '__SHARDINGKEY',
    '__x',
    'anymq-id',
    'anymq-e-a',
    'anymq-h-a',
    'CE_id',
  ),
);
const unicode = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '%', '%25', ' a ', '\u0085%0A'),
);
const records = fc.record({
  id: fc.stringMatching(/^[!-~]{1,60}$/),
  key: fc.option(
    unicode.filter((key) => key !== ''),
    { nil: undefined },
  ),
  headers: fc.option(fc.dictionary(headerName, unicode, { minKeys: 1, maxKeys: 6, noNullPrototype: true }), {
    nil: undefined,
  }),
  time: fc.oneof(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.constantFrom(0, 1, 999)),
  type: fc.stringMatching(/^[!-~]{1,60}$/),
  contentType: fc.constantFrom('application/json', 'text/plain; charset=utf-8'),
  body: fc.uint8Array({ maxLength: 50 }),
});

describe('the codec', () => {
  test.each(['lean', 'cloudevents'] as const)('gives back what it was given, in the %s form', (envelope) => {
    const topic: TopicSpec = topicSpec('t', { envelope });
    fc.assert(
      fc.property(records, (given: OutgoingRecord) => {
        const { body, type, contentType, ...exact } = given;
        const got = decode(asReceived(encode(given, topic, 'n')), 0);
        expect(got).toMatchObject(exact);
        expect([got.type ?? topic.type, got.contentType ?? topic.contentType]).toEqual([type, contentType]);
        expect(Buffer.compare(got.body, body)).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  test('writes nothing that the broker refuses or loses', () => {
    fc.assert(
      fc.property(records, fc.constantFrom('lean', 'cloudevents'), (given, envelope) => {
        const { properties, body, messageGroup } = encode(given, topicSpec('t', { envelope }), 'n');
        for (const [name, value] of properties) {
          expect(name).toMatch(/^(?!__)[A-Za-z0-9._-]+$/);
          expect(name).not.toMatch(/^(KEYS|TAGS|DELAY|UNIQ_KEY)$/);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the broker refuses.
          expect(value).toMatch(/^[^\u0000-\u001f\u007f-\u009f]+$/);
        }
        expect(body.length).toBeGreaterThan(0);
        expect(messageGroup ?? 'none').toMatch(/^[A-Za-z0-9_.-]{1,63}$/);
      }),
    );
  });

  test('writes the lean form like this', () => {
    const given = record('m-1', 'k', '{}', { headers: { trace: 'x', KEYS: 'y', lines: 'a\n50%' } });
    expect(encode(given, topicSpec('orders'), 'shop')).toEqual({
      body: Buffer.from('{}'),
      keys: ['m-1'],
      messageGroup: 'k',
      bornAt: 1_763_900_000_123,
      properties: [
        ['anymq-id', 'm-1'],
        ['trace', 'x'],
        ['anymq-h-KEYS', 'y'],
        ['anymq-e-lines', 'a%0A50%25'],
      ],
    });
  });

  test('writes the CloudEvents form like this', () => {
    const topic = topicSpec('orders', { envelope: 'cloudevents' });
    expect(encode(record('m-1', 'k', '{}'), topic, 'shop').properties).toEqual([
      ['CE_specversion', '1.0'],
      ['CE_id', 'm-1'],
      ['CE_source', '/shop/orders'],
      ['CE_type', 'orders'],
      ['CE_time', '2025-11-23T12:13:20.123Z'],
      ['CE_partitionkey', 'k'],
      ['CE_datacontenttype', 'application/json'],
    ]);
  });

  test('says when a delayed message is to be delivered, and says nothing of it elsewhere', () => {
    const deliverAtOf = (delayed: boolean, changes: Partial<OutgoingRecord>): number | undefined =>
      encode(record('m', undefined, '', changes), topicSpec('t', { keyed: false, delayed }), 'n').deliverAt;
    expect(deliverAtOf(true, { deliverAt: 1_763_900_001_000 })).toBe(1_763_900_001_000);
    expect([deliverAtOf(true, {}), deliverAtOf(true, { deliverAt: -7 })]).toEqual([1, 1]);
    expect(deliverAtOf(false, { deliverAt: 5 })).toBeUndefined();
  });

  test('lets a ledger be found, and compacted, by its keys', () => {
    const ledger = topicSpec('t', { retention: 'last-of-key' });
    expect(encode(record('m', 'k 1', ''), ledger, 'n').keys).toEqual([messageGroupOf('k 1')]);
    expect(encode(record('m', 'k 1', ''), topicSpec('t'), 'n').keys).toEqual(['m']);
  });

  test('keeps a key that can be no message group beside its hash', () => {
    expect(messageGroupOf('a'.repeat(63))).toBe('a'.repeat(63));
    for (const key of ['a'.repeat(64), 'ключ', 'a b', 'h-x', 'a\n']) {
      expect(messageGroupOf(key)).toMatch(/^h-[A-Za-z0-9_-]{43}$/);
      expect(decode(asReceived(encode(record('m', key, ''), topicSpec('t'), 'n')), 0).key).toBe(key);
    }
  });

  test('reads a message of a plain client', () => {
    const properties = new Map([
      ['trace', '100%25'],
      ['__SHARDINGKEY', 'g'],
    ]);
    const got = decode(bare({ messageGroup: 'g', properties: (each) => properties.forEach(each) }), 7);
    expect(got).toMatchObject({ id: 'M1', key: 'g', headers: { trace: '100%25' }, time: 5 });
    expect(decode(bare({ bornAt: undefined }), 7)).toMatchObject({ key: undefined, headers: undefined, time: 7 });
  });

  test('refuses properties that do not fit, by name', () => {
    const headers = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`h${i}`, 'x']));
    expect(() => encode(record('m', 'k', '', { headers }), topicSpec('t'), 'n')).toThrow(/'m' needs 13\d RocketMQ/);
    const escaped = { h: '\n'.repeat(6_000) };
    expect(() => encode(record('m', 'k', '', { headers: escaped }), topicSpec('t'), 'n')).toThrow(/16384 bytes/);
  });

  test('spreads keys over all lanes, always the same way', () => {
    const lanes = new Set(Array.from({ length: 2_000 }, (_, i) => laneOf(`key-${i}`, 64)));
    expect(lanes.size).toBe(64);
    expect(laneOf('k', 64)).toBe(laneOf('k', 64));
  });
});
