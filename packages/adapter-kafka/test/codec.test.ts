import type { OutgoingRecord, TopicSpec } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../src/codec.js';
import type { StoredRecord, WireRecord } from '../src/internal/wire.js';
import { topicSpec } from './support/harness.js';

const NOW = 1_800_000_000_000;

/** What kafkajs gives for what it was given. */
function stored(wire: WireRecord): StoredRecord {
  const headers = Object.fromEntries(Object.entries(wire.headers).map(([name, value]) => [name, Buffer.from(value)]));
  return {
    offset: '42',
    key: wire.key === null ? null : Buffer.from(wire.key),
    value: wire.value,
    timestamp: wire.timestamp,
    headers,
    isControlRecord: false,
    batchContext: { producerId: '-1', inTransaction: false },
  };
}

function plain(overrides: Partial<StoredRecord>): StoredRecord {
  return { ...stored({ key: null, value: Buffer.from('v'), timestamp: '123', headers: {} }), ...overrides };
}

const wellFormed = fc.string({ unit: 'grapheme' });
const headerName = fc
  .stringMatching(/^[A-Za-z0-9.-]{1,20}$/)
  .filter((name) => !/^(anymq-|ce[_-]|cloudevents|content-type$)/i.test(name));
const record = (topic: TopicSpec): fc.Arbitrary<OutgoingRecord> =>
  fc.record({
    id: fc.stringMatching(/^[\x21-\x7e]{1,128}$/),
    key: topic.keyed ? wellFormed.filter((key) => key.length > 0) : fc.constant(undefined),
    body: fc.uint8Array({ maxLength: 300 }),
    headers: fc.option(fc.dictionary(headerName, wellFormed, { minKeys: 1, noNullPrototype: true }), {
      nil: undefined,
    }),
    time: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    type: fc.constantFrom(topic.type, 'another.type'),
    contentType: fc.constantFrom(topic.contentType, 'text/plain; charset=utf-8'),
  });

const topics = (['lean', 'cloudevents'] as const).flatMap((envelope) =>
  [true, false].map((keyed) => topicSpec({ name: 'orders.paid', envelope, keyed })),
);

describe('codec', () => {
  test.each(topics)('everything survives ($envelope, keyed $keyed)', (topic) => {
    fc.assert(
      fc.property(record(topic), (sent) => {
        const wire = encodeRecord(sent, topic, 'ns', NOW);
        const got = decodeRecord(stored(wire), 'ns.orders.paid', 3);
        expect({ ...got, body: Buffer.from(got.body) }).toEqual({
          ...sent,
          body: Buffer.from(sent.body),
          type: topic.envelope === 'lean' && sent.type === topic.type ? undefined : sent.type,
          contentType:
            topic.envelope === 'lean' && sent.contentType === topic.contentType ? undefined : sent.contentType,
        });
        // Retention by time must not take what was sent just now, and the broker refuses the far future.
        expect(Math.abs(Number(wire.timestamp) - NOW)).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });

  test('a body is not copied', () => {
    const topic = topics[0] as TopicSpec;
    const body = new Uint8Array([1, 2, 3]);
    const sent = {
      id: 'i',
      key: 'k',
      body,
      headers: undefined,
      time: NOW,
      type: topic.type,
      contentType: topic.contentType,
    };
    expect(encodeRecord(sent, topic, 'ns', NOW).value.buffer).toBe(body.buffer);
  });

  test('the lean form is a header for the id, no more', () => {
    const topic = topics[0] as TopicSpec;
    const sent = {
      id: 'i-1',
      key: 'k',
      body: Buffer.from('b'),
      headers: undefined,
      time: NOW,
      type: topic.type,
      contentType: topic.contentType,
    };
    expect(encodeRecord(sent, topic, 'ns', NOW)).toEqual({
      key: 'k',
      value: Buffer.from('b'),
      timestamp: String(NOW),
      headers: { 'anymq-id': 'i-1' },
    });
  });

  test('the CloudEvents form is that of the Kafka binding', () => {
    const topic = topicSpec({ name: 'orders.paid', envelope: 'cloudevents', contentType: 'application/json' });
    const sent = {
      id: 'i-1',
      key: 'k',
      body: Buffer.from('{}'),
      headers: { a: 'b' },
      time: NOW,
      type: 'orders.paid',
      contentType: 'application/json',
    };
    expect(encodeRecord(sent, topic, 'shop', NOW).headers).toEqual({
      a: 'b',
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'i-1',
      ce_source: '/shop/orders.paid',
      ce_type: 'orders.paid',
      ce_time: new Date(NOW).toISOString(),
      ce_partitionkey: 'k',
    });
  });

  test('a plain record has sensible defaults', () => {
    expect(decodeRecord(plain({ key: Buffer.from('k'), headers: { h: Buffer.from('ü') } }), 'ns.t', 3)).toEqual({
      id: 'ns.t/3/42',
      key: 'k',
      body: Buffer.from('v'),
      headers: { h: 'ü' },
      time: 123,
      type: undefined,
      contentType: undefined,
    });
  });

  test('odd records: tombstone, no time, repeated and empty headers', () => {
    const headers = { twice: [Buffer.from('a'), Buffer.from('b')], none: null, empty: Buffer.alloc(0) };
    expect(decodeRecord(plain({ value: null, timestamp: '-1', headers }), 'ns.t', 0)).toMatchObject({
      body: Buffer.alloc(0),
      time: 0,
      headers: { twice: 'b', none: '', empty: '' },
    });
  });
});
