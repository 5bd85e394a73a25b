import { crc32 } from 'node:zlib';
import { cloudEventsAttributes, LEAN, type OutgoingRecord, splitHeaders, type TopicSpec } from '@anymq/core/adapter';
import type { Message, Options } from './client.js';

/** Prefix of CloudEvents attributes in AMQP headers. */
const CLOUDEVENTS = 'cloudEvents:';
/** Stands before the sender's own headers whose names mean something to the broker. */
const ESCAPE = 'anymq-h-';
/** The broker routes by the first two (and closes the channel if they are no arrays), and writes the others itself. */
const BROKERS = /^(?:CC|BCC|x-death|x-first-death-.*|x-last-death-.*|x-delivery-count|x-acquired-count|x-stream-.*)$/;
/** Times below are seconds, above milliseconds: seconds reach it in the year 5138, milliseconds did in 1973. */
const SECONDS_BELOW = 100_000_000_000;

/** `type` of what the adapter itself puts into queues and streams. */
export const MARKER = 'anymq-marker';

/**
 * The bucket of a key: CRC-32 (as in zip and Ethernet) of its UTF-8 bytes, modulo the number of buckets. Part of the wire
 * format: every publisher of a key must come to the same bucket.
 */
export function bucketOf(key: string, buckets: number): number {
  return crc32(key) % buckets;
}

/** Message properties of a record. */
export function toProperties(record: OutgoingRecord, topic: TopicSpec, namespace: string): Options.Publish {
  const { time } = record;
  const native = Number.isSafeInteger(time) && time >= SECONDS_BELOW;
  const properties: Options.Publish = {
    deliveryMode: 2,
    mandatory: true,
    messageId: record.id,
    type: record.type,
    contentType: record.contentType,
  };
  if (native) properties.timestamp = time;
  const headers = toHeaders(record, topic, namespace, native);
  if (headers !== undefined) properties.headers = headers;
  return properties;
}

function toHeaders(
  record: OutgoingRecord,
  topic: TopicSpec,
  namespace: string,
  nativeTime: boolean,
): Record<string, string> | undefined {
  const { key, headers: own, time } = record;
  if (topic.envelope === 'cloudevents') return cloudEventsHeaders(record, topic, namespace);
  if (key === undefined && own === undefined && nativeTime) return undefined;
  const headers: Record<string, string> = own === undefined ? {} : escaped(own);
  if (key !== undefined) headers[LEAN.key] = key;
  if (!nativeTime) headers[LEAN.time] = String(time);
  return headers;
}

function cloudEventsHeaders(record: OutgoingRecord, topic: TopicSpec, namespace: string): Record<string, string> {
  const headers: Record<string, string> = record.headers === undefined ? {} : escaped(record.headers);
  const attributes = cloudEventsAttributes(record, topic, namespace);
  for (const name in attributes) headers[CLOUDEVENTS + name] = attributes[name] as string;
  return headers;
}

function escaped(own: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in own) headers[BROKERS.test(name) ? ESCAPE + name : name] = own[name] as string;
  return headers;
}

/** A record's body as the library wants it, without a copy. */
export function toContent({ body }: OutgoingRecord): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** What a message says about itself. */
export interface DecodedMessage {
  /** Undefined for a plain message without a message id. */
  readonly id: string | undefined;
  readonly key: string | undefined;
  readonly headers: Record<string, string> | undefined;
  /** Undefined where the message carries none. */
  readonly time: number | undefined;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
}

/** Understands both forms of ours and messages of plain AMQP clients. */
export function decode({ properties }: Message): DecodedMessage {
  const { attributes, headers } = splitHeaders(readableHeaders(properties.headers), CLOUDEVENTS);
  return {
    id: attributes.id ?? textOf(properties.messageId),
    key: attributes.key,
    headers,
    time: attributes.time ?? timeOf(properties.timestamp),
    type: attributes.type ?? textOf(properties.type),
    contentType: attributes.contentType ?? textOf(properties.contentType),
  };
}

function readableHeaders(raw: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  const readable: Record<string, string> = {};
  for (const name in raw) {
    if (name.startsWith(ESCAPE)) readable[name.slice(ESCAPE.length)] = readableValue(raw[name]);
    else if (!BROKERS.test(name)) readable[name] = readableValue(raw[name]);
  }
  return readable;
}

/** Only strings are exact; plain clients may send numbers, booleans, bytes and tables, which become readable text. */
function readableValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** AMQP says seconds; this adapter and many users of the library write milliseconds. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'number') return undefined;
  return value < SECONDS_BELOW ? value * 1000 : value;
}

/** What tells two copies of one message from two messages. Undefined for a plain message without an id. */
export function identityOf({ properties: { messageId, headers } }: Message): string | undefined {
  return textOf(messageId) ?? textOf(headers?.[LEAN.id]) ?? textOf(headers?.[`${CLOUDEVENTS}id`]);
}
