import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  cloudEventsAttributes,
  LEAN,
  type OutgoingRecord,
  splitHeaders,
  type TopicSpec,
  type WireAttributes,
} from '@anymq/core/adapter';
import { fault } from './errors.js';

/** Prefix of CloudEvents attributes, as in the CloudEvents SDK for RocketMQ. */
const CLOUDEVENTS = 'CE_';
const CLOUDEVENTS_CONTENT_TYPE = 'CE_datacontenttype';
/** Stands before the sender's own headers whose names mean something to the broker or to us. */
const OWN = 'anymq-h-';
/** Stands before names whose values the broker would refuse or lose; the value is percent-encoded. */
const ENCODED = 'anymq-e-';
/** The body is empty, which the broker refuses: a placeholder is in its place. */
const EMPTY = 'anymq-empty';
const PLACEHOLDER = Buffer.from([0]);
/** Names that the broker claims (`MessageConst.STRING_HASH_SET`), and what begins like its or our own. */
const CLAIMED = new RegExp(
  `^(?:__.*|CE_.*|anymq-.*|content-type|${[
    'TRACE_ON MSG_REGION KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET',
    'BUYER_ID ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME UNIQ_KEY MAX_RECONSUME_TIMES',
    'CONSUME_START_TIME POP_CK POP_CK_OFFSET FIRST_POP_TIME TRAN_PREPARED_QUEUE_OFFSET DUP_INFO EXTEND_UNIQ_INFO',
    'INSTANCE_ID CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE INNER_MULTI_QUEUE_OFFSET',
    'TIMER_DELAY_MS TIMER_DELAY_SEC TIMER_DELIVER_MS INNER_NUM INNER_BASE DUP_INFO BORN_HOST BORN_TIMESTAMP',
    'CHECK_IMMUNITY_TIME_IN_SECONDS INNER_MULTI_DISPATCH TRANSACTION_CHECK_TIMES SHARDING_KEY',
  ]
    .join(' ')
    .replaceAll(' ', '|')})$`,
  's',
);
/** What the broker refuses in a value, and the sign of our encoding. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be written.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f%]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const REFUSED = /[\u0000-\u001f\u007f-\u009f]/;
/** A key that can be the message group as it is. */
const PLAIN_KEY = /^[A-Za-z0-9_.-]{1,63}$/;
const HASHED = 'h-';
/** The broker's own limits on properties. */
const MAX_PROPERTIES = 128;
const MAX_PROPERTY_BYTES = 16 * 1024;
/** What a property costs on the broker beside name and value. */
const PROPERTY_OVERHEAD = 2;

/** Long ago, but not never: RocketMQ takes 0 for no time at all. */
const AT_ONCE = 1;

/** A message on its way to the proxy. */
export interface NativeMessage {
  readonly body: Uint8Array;
  /** What RocketMQ's own tools find it by. */
  readonly keys: string[];
  readonly messageGroup: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly bornAt: number;
  /** Only on topics of delayed messages: when it is delivered, milliseconds since the Unix epoch; in the past: at once. */
  readonly deliverAt: number | undefined;
  readonly properties: readonly (readonly [string, string])[];
}

/** CRC-32 (as in zip) of the key's UTF-8 bytes, modulo the number of lanes. */
export function laneOf(key: string, lanes: number): number {
  return crc32(key) % lanes;
}

/** The message group of a key: the key itself where RocketMQ allows it, else `h-` and 43 characters of its SHA-256. */
export function messageGroupOf(key: string): string {
  if (PLAIN_KEY.test(key) && !key.startsWith(HASHED)) return key;
  return HASHED + createHash('sha256').update(key).digest('base64url');
}

/** @throws {MessagingError} `TOO_LARGE` when the properties do not fit */
export function encode(record: OutgoingRecord, topic: TopicSpec, namespace: string): NativeMessage {
  const properties: [string, string][] = [];
  const { key, body } = record;
  const messageGroup = key === undefined ? undefined : messageGroupOf(key);
  if (topic.envelope === 'cloudevents') addCloudEvents(properties, record, topic, namespace);
  else addLean(properties, record, topic, messageGroup);
  for (const name in record.headers) {
    add(properties, CLAIMED.test(name) ? OWN + name : name, record.headers[name] as string);
  }
  if (body.length === 0) properties.push([EMPTY, '1']);
  fit(record, properties);
  return {
    body: body.length === 0 ? PLACEHOLDER : body,
    keys: [topic.retention === 'last-of-key' && messageGroup !== undefined ? messageGroup : record.id],
    messageGroup,
    bornAt: isNativeTime(record.time) ? record.time : 0,
    deliverAt: topic.delayed === true ? Math.max(AT_ONCE, record.deliverAt ?? AT_ONCE) : undefined,
    properties,
  };
}

/** What the broker keeps exactly as the time of birth. */
const isNativeTime = (time: number): boolean => Number.isSafeInteger(time) && time >= 0;

function addLean(
  properties: [string, string][],
  { id, key, time, type, contentType }: OutgoingRecord,
  topic: TopicSpec,
  messageGroup: string | undefined,
): void {
  properties.push([LEAN.id, id]);
  if (!isNativeTime(time)) properties.push([LEAN.time, String(time)]);
  if (key !== undefined && key !== messageGroup) add(properties, LEAN.key, key);
  if (type !== topic.type) add(properties, LEAN.type, type);
  if (contentType !== topic.contentType) add(properties, LEAN.contentType, contentType);
}

function addCloudEvents(
  properties: [string, string][],
  record: OutgoingRecord,
  topic: TopicSpec,
  namespace: string,
): void {
  const attributes = cloudEventsAttributes(record, topic, namespace);
  for (const name in attributes) add(properties, CLOUDEVENTS + name, attributes[name] as string);
  add(properties, CLOUDEVENTS_CONTENT_TYPE, record.contentType);
}

function add(properties: [string, string][], name: string, value: string): void {
  if (value !== '' && !REFUSED.test(value)) properties.push([name, value]);
  // An empty value would be dropped: a lone percent sign, which no encoding begins with, is none.
  else properties.push([ENCODED + name, value === '' ? '%' : value.replace(UNSAFE, percent)]);
}

const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
const unpercent = (value: string): string =>
  value.replace(/%([0-9A-F]{2})?/g, (_all, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  );

function fit(record: OutgoingRecord, properties: readonly (readonly [string, string])[]): void {
  let bytes = 0;
  for (const [name, value] of properties) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + PROPERTY_OVERHEAD;
  }
  if (bytes <= MAX_PROPERTY_BYTES && properties.length <= MAX_PROPERTIES) return;
  const what = `Message '${record.id}' needs ${properties.length} RocketMQ properties of ${bytes} bytes`;
  throw fault(
    'TOO_LARGE',
    `${what}; RocketMQ takes ${MAX_PROPERTIES} and ${MAX_PROPERTY_BYTES} bytes. Use fewer or shorter headers.`,
  );
}

/** A message as the broker has it, however it was got. */
export interface NativeContent {
  readonly messageId: string;
  readonly body: Uint8Array;
  readonly messageGroup: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly bornAt: number | undefined;
  readonly offset: number;
  /** Without those of the broker. */
  properties(each: (value: string, name: string) => void): void;
}

/** What the proxy delivered. */
export interface NativeDelivery extends NativeContent {
  readonly receiptHandle: string;
  /** 1 for the first. */
  readonly deliveryAttempt: number;
  /** Broker and number of the queue. */
  readonly queue: string;
}

/** What a message says about itself. */
export interface DecodedMessage {
  readonly id: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Record<string, string> | undefined;
  readonly time: number;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
}

/**
 * Understands both forms of ours and messages of plain clients.
 *
 * @param now the time of a message that tells none
 */
export function decode(delivery: NativeContent, now: number): DecodedMessage {
  const raw: Record<string, string> = {};
  delivery.properties((value, name) => {
    if (name.startsWith(ENCODED)) raw[name.slice(ENCODED.length)] = unpercent(value);
    else raw[name] = value;
  });
  const empty = raw[EMPTY] !== undefined;
  const contentType = raw[CLOUDEVENTS_CONTENT_TYPE];
  const { attributes, headers } = splitHeaders(raw, CLOUDEVENTS);
  return {
    id: attributes.id ?? delivery.messageId,
    key: attributes.key ?? textOf(delivery.messageGroup),
    body: empty ? delivery.body.subarray(0, 0) : delivery.body,
    headers: readable(headers),
    ...described(attributes, delivery, now),
    contentType: attributes.contentType ?? contentType,
  };
}

function described({ time, type }: WireAttributes, { bornAt }: NativeContent, now: number) {
  return { time: time ?? bornAt ?? now, type };
}

function readable(headers: Record<string, string> | undefined): Record<string, string> | undefined {
  const own: [string, string][] = [];
  for (const name in headers) {
    const plain = ownName(name);
    if (plain !== undefined) own.push([plain, headers[name] as string]);
  }
  // Assignment would lose a header by the name of `__proto__`.
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Undefined for what is not the sender's. */
function ownName(name: string): string | undefined {
  if (name.startsWith(OWN)) return name.slice(OWN.length);
  return name.startsWith('__') || name === EMPTY ? undefined : name;
}

const textOf = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
