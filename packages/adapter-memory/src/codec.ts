import type { IncomingRecord, ReadRecord, Source } from '@anymq/core/adapter';
import type { Ownership } from './internal/share.js';

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

/** A message as {@link StoredMessage} shows it to plain clients. */
export function stored(fields: MessageFields, position: string, sequence: number): StoredMessage {
  return { ...readable(fields, position), sequence };
}

/** A message as a reader sees it. Headers are a copy: a reader that changes them must not change what others see. */
export function readable(fields: MessageFields, position: string): ReadRecord {
  const { id = idAt(position), key, body, headers, time, type, contentType } = fields;
  return { position, id, key, body, headers: headers && { ...headers }, time, type, contentType };
}

const idAt = (position: string): string => `memory:${position}`;

/** Where a message stands in its topic, for people. */
export const positionOf = (partition: number, offset: number): string => `${partition}:${offset}`;

/** Copies body and headers of a plain user, who may go on changing them. */
export function nativeFields(message: NativeMessage, now: number): MessageFields {
  const { body, headers, time = now } = message;
  return { ...message, time, body: Uint8Array.from(body), headers: headers && { ...headers } };
}

/**
 * A message on its way to the member that owns it now: a thin view of what is stored. Nothing is copied but headers: records
 * are immutable by contract, and core's codecs copy wherever a user could reach the bytes.
 */
export class MemoryRecord implements IncomingRecord {
  readonly ownership: Ownership;
  readonly offset: number;
  readonly attempts: number;
  readonly redelivered: boolean;
  readonly #message: MessageFields;

  constructor(message: MessageFields, ownership: Ownership, offset: number, attempts: number, redelivered: boolean) {
    this.#message = message;
    this.ownership = ownership;
    this.offset = offset;
    this.attempts = attempts;
    this.redelivered = redelivered;
  }

  get source(): Source {
    return this.ownership.source;
  }

  get position(): string {
    return positionOf(this.ownership.share.partition, this.offset);
  }

  get id(): string {
    return this.#message.id ?? idAt(this.position);
  }

  get key(): string | undefined {
    return this.#message.key;
  }

  get body(): Uint8Array {
    return this.#message.body;
  }

  /** A copy, as from a real broker: a handler that changes them must not change what others see. */
  get headers(): Readonly<Record<string, string>> | undefined {
    const { headers } = this.#message;
    return headers && { ...headers };
  }

  get time(): number {
    return this.#message.time;
  }

  get type(): string | undefined {
    return this.#message.type;
  }

  get contentType(): string | undefined {
    return this.#message.contentType;
  }
}

/** What a message with a body of so many bytes counts against the broker's bounds, in bytes. */
export function sizeOf(bodyBytes: number, headers: NativeMessage['headers']): number {
  let size = OVERHEAD_BYTES + bodyBytes;
  // Two bytes a UTF-16 unit, as the heap holds them.
  for (const name in headers) size += 2 * (name.length + (headers[name] as string).length);
  return size;
}
