import type { OutgoingRecord } from '../adapter/spi.js';
import type { CapabilityLimits } from '../capabilities.js';
import { encodeWith } from '../codec.js';
import { invalidArgument, MessagingError } from '../errors.js';
import { checkHeaders, checkId, checkKey } from '../names.js';
import { integerIn, onlyKnown } from '../range.js';
import type { TopicDefinition } from '../topic.js';
import type { SendOptions } from './contract.js';
import type { Ids } from './ids.js';
import { MAX_TIMEOUT_MS, MIN_TIMEOUT_MS } from './options.js';

const KNOWN = ['id', 'key', 'headers', 'time', 'type', 'delayMs', 'deliverAt', 'timeoutMs', 'signal'] as const;
const TYPE = /^[\x21-\x7e]{1,200}$/;
/** The largest time a Date can hold. */
const MAX_TIME = 8_640_000_000_000_000;

/** Turns a validated value into the record that goes out. Throws `INVALID_ARGUMENT`, `ENCODING_FAILED` or `TOO_LARGE`. */
export function prepare(
  topic: TopicDefinition,
  value: { readonly input: unknown; readonly output: unknown },
  options: SendOptions,
  context: { readonly now: number; readonly limits: CapabilityLimits; readonly ids: Ids },
): OutgoingRecord {
  const { spec, codec } = topic;
  const headers = checkHeaders(options.headers);
  const record: OutgoingRecord = {
    id: options.id === undefined ? context.ids.next() : checkId(options.id),
    key: keyOf(topic, value.output, options.key),
    body: encodeWith(codec, value.input, spec.name),
    headers,
    time: options.time === undefined ? context.now : integerIn('time', options.time, 0, MAX_TIME, 0),
    type: options.type === undefined ? spec.type : checkType(options.type),
    contentType: spec.contentType,
  };
  checkSize(record, spec.name, context.limits);
  return record;
}

/** Throws `INVALID_ARGUMENT` for options that mean nothing or are out of range. */
export function checkSendOptions(options: SendOptions): void {
  onlyKnown('send()', options, KNOWN);
  integerIn('timeoutMs', options.timeoutMs, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, MAX_TIMEOUT_MS);
}

function keyOf(topic: TopicDefinition, output: unknown, given: string | undefined): string | undefined {
  if (topic.key !== undefined) return checkKey(given ?? topic.key(output as never));
  if (given === undefined) return undefined;
  throw invalidArgument(
    `Topic '${topic.spec.name}' has no key, so a message cannot have one. Give defineTopic() a key function.`,
  );
}

function checkType(type: string): string {
  if (typeof type === 'string' && TYPE.test(type)) return type;
  throw invalidArgument(
    `Message type ${JSON.stringify(type)} is not allowed. Use 1 to 200 printable ASCII characters without space.`,
  );
}

/** Throws `TOO_LARGE`. */
export function checkSize(record: OutgoingRecord, topic: string, limits: CapabilityLimits): void {
  if (record.body.length > limits.maxBodyBytes) throw tooLarge(topic, 'body', record.body.length, limits.maxBodyBytes);
  if (record.headers === undefined) return;
  const size = headersSize(record.headers);
  if (size > limits.maxHeadersBytes) throw tooLarge(topic, 'headers', size, limits.maxHeadersBytes);
}

/** UTF-8 bytes of names and values. Names are ASCII. */
export function headersSize(headers: Readonly<Record<string, string>>): number {
  let size = 0;
  for (const name in headers) size += name.length + Buffer.byteLength(headers[name] as string);
  return size;
}

function tooLarge(topic: string, part: string, found: number, limit: number): MessagingError {
  return new MessagingError(
    'TOO_LARGE',
    `The ${part} of a message for topic '${topic}' has ${found} bytes, this broker takes at most ${limit}.`,
  );
}
