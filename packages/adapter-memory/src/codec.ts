import type { MemoryRecord, Ownership } from './internal/share.js';

/** A message as a plain user of the broker object writes it, without AnyMQ. */
export interface NativeMessage {
  readonly body: Uint8Array;
  readonly key?: string | undefined;
  /** @default made from the position */
  readonly id?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since the Unix epoch. @default the broker's time */
  readonly time?: number | undefined;
  /** @default the topic's own */
  readonly type?: string | undefined;
  /** @default the topic's own */
  readonly contentType?: string | undefined;
}

/** A message as the broker keeps it. Everything has a field of its own, so both envelopes look the same here. */
export interface StoredMessage {
  /** `<partition>:<offset>`, unique within the topic. */
  readonly position: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly time: number;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  /** Order of arrival in the topic, over all partitions. */
  readonly sequence: number;
}

/** What a message costs besides its body, roughly, in bytes. */
const OVERHEAD_BYTES = 256;

/** What is known of a message before it has a place. An outgoing record is one. */
export type MessageFields = NativeMessage & { readonly time: number };

/**
 * The body is not copied, nor are headers: records are immutable by contract, and core's codecs copy wherever a user could
 * reach the bytes.
 */
export function stored(fields: MessageFields, position: string, sequence: number): StoredMessage {
  const { id = `memory:${position}`, key, body, headers, time, type, contentType } = fields;
  return { position, id, key, body, headers, time, type, contentType, sequence };
}

/** Copies body and headers of a plain user, who may go on changing them. */
export function nativeFields(message: NativeMessage, now: number): MessageFields {
  const { body, headers, time = now } = message;
  return { ...message, time, body: Uint8Array.from(body), headers: headers && { ...headers } };
}

/** A message on its way to the member that owns it now. */
export function received(
  message: StoredMessage,
  ownership: Ownership,
  offset: number,
  attempts: number,
  redelivered: boolean,
): MemoryRecord {
  const { position, id, key, body, headers, time, type, contentType } = message;
  const { source } = ownership;
  // Headers are a copy for each group, as from a real broker: a handler that changes them must not change what others see.
  const own = headers === undefined ? undefined : { ...headers };
  return {
    source,
    position,
    id,
    key,
    body,
    headers: own,
    time,
    type,
    contentType,
    attempts,
    redelivered,
    ownership,
    offset,
  };
}

/** What a message counts against the broker's bounds, in bytes. */
export function sizeOf(message: Pick<StoredMessage, 'body' | 'headers'>): number {
  let size = OVERHEAD_BYTES + message.body.length;
  // Two bytes a UTF-16 unit, as the heap holds them.
  for (const name in message.headers) size += 2 * (name.length + (message.headers[name] as string).length);
  return size;
}
