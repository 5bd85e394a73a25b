import {
  cloudEventsAttributes,
  LEAN,
  type OutgoingRecord,
  type SplitHeaders,
  splitHeaders,
  type TopicSpec,
} from '@anymq/core/adapter';
import type { StoredRecord, WireRecord } from './internal/wire.js';
import { madeId } from './names.js';

/** Of the CloudEvents binding for Kafka. */
const PREFIX = 'ce_';
const NOTHING = Buffer.alloc(0);

/**
 * Kafka deletes by the records' own timestamps: one of last year would be gone in minutes, and brokers refuse one of
 * tomorrow. Outside of these bounds the time travels in a header and the timestamp is the present.
 */
const OLDEST_MS = 3_600_000;
const NEWEST_MS = 1_800_000;

/** @param now milliseconds since the Unix epoch */
export function encodeRecord(record: OutgoingRecord, topic: TopicSpec, namespace: string, now: number): WireRecord {
  const { key, body, time } = record;
  const present = time > now - OLDEST_MS && time < now + NEWEST_MS;
  const headers =
    topic.envelope === 'cloudevents' ? cloudEventsHeaders(record, topic, namespace) : leanHeaders(record, topic);
  if (!present && topic.envelope === 'lean') headers[LEAN.time] = String(time);
  return {
    key: key ?? null,
    // A view, not a copy: kafkajs takes no Uint8Array that is not a Buffer.
    value: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    timestamp: String(present ? time : now),
    headers,
  };
}

function leanHeaders(record: OutgoingRecord, topic: TopicSpec): Record<string, string> {
  const headers: Record<string, string> = { ...record.headers, [LEAN.id]: record.id };
  if (record.type !== topic.type) headers[LEAN.type] = record.type;
  if (record.contentType !== topic.contentType) headers[LEAN.contentType] = record.contentType;
  return headers;
}

function cloudEventsHeaders(record: OutgoingRecord, topic: TopicSpec, namespace: string): Record<string, string> {
  const headers: Record<string, string> = { ...record.headers, [LEAN.contentType]: record.contentType };
  const attributes = cloudEventsAttributes(record, topic, namespace);
  for (const name in attributes) headers[PREFIX + name] = attributes[name] as string;
  return headers;
}

/** What a stored record says, in the words of the contract. */
export interface DecodedRecord {
  readonly id: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly time: number;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
}

/**
 * A record without value (a tombstone) has an empty body. Header values are read as UTF-8; of a header that stands several
 * times the last value counts, as for Kafka's own `lastHeader`.
 *
 * @param topic as named on the broker
 */
export function decodeRecord(record: StoredRecord, topic: string, partition: number): DecodedRecord {
  const { attributes, headers } = readHeaders(record);
  return {
    id: attributes.id ?? madeId(topic, partition, Number(record.offset)),
    key: record.key === null ? attributes.key : record.key.toString(),
    body: record.value ?? NOTHING,
    headers,
    // Records of ancient producers have no time: -1.
    time: attributes.time ?? Math.max(0, Number(record.timestamp)),
    type: attributes.type,
    contentType: attributes.contentType,
  };
}

function readHeaders(record: StoredRecord): SplitHeaders {
  const raw: Record<string, string> = {};
  for (const name in record.headers) {
    const value = record.headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    raw[name] = last?.toString() ?? '';
  }
  return splitHeaders(raw, PREFIX);
}
