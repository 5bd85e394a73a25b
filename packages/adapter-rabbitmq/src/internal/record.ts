import type { IncomingRecord, Source } from '@anymq/core/adapter';
import type { ConsumeMessage } from '../client.js';
import { decode } from '../codec.js';

/** Who gets to know that a record is settled. */
export interface Settler {
  settled(record: RabbitmqRecord): void;
}

/** What a record is made from. */
export interface Arrival {
  readonly message: ConsumeMessage;
  readonly source: Source;
  readonly settler: Settler;
  readonly queue: string;
  /** From a `past` queue. */
  readonly past: boolean;
  /** From the queue of what the broker gave up. */
  readonly givenUp: boolean;
  /** For a plain message without an id. */
  madeUpId(): string;
  /** For a message without a time. */
  now(): number;
}

export class RabbitmqRecord implements IncomingRecord {
  readonly source: Source;
  readonly position: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly time: number;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  readonly redelivered: boolean;
  readonly givenUp: string | undefined;
  attempts = 0;
  readonly settler: Settler;
  readonly tag: number;
  readonly past: boolean;
  /** It may be handed over: what was said about it by other members is known. */
  ready: boolean;

  constructor({ message, source, settler, queue, past, givenUp, madeUpId, now }: Arrival) {
    const { id, key, headers, time, type, contentType } = decode(message);
    const { deliveryTag, redelivered } = message.fields;
    this.source = source;
    this.settler = settler;
    this.tag = deliveryTag;
    this.past = past;
    this.position = `${queue}#${deliveryTag}`;
    this.id = id ?? madeUpId();
    this.key = key;
    this.body = message.content;
    this.headers = headers;
    this.time = time ?? now();
    this.type = type;
    this.contentType = contentType;
    this.redelivered = redelivered;
    this.givenUp = givenUp ? `${whenceOf(message).reason}, in queue '${whenceOf(message).queue}'` : undefined;
    // What was given up was delivered before, perhaps, from another queue.
    this.ready = !redelivered && !givenUp;
  }
}

/** Where a message was given up, and why: `expired`, `delivery_limit`, `maxlen`, or `rejected` by somebody's own consumer. */
export function whenceOf({ properties: { headers } }: ConsumeMessage): {
  readonly queue: string;
  readonly reason: string;
} {
  return { queue: String(headers?.['x-first-death-queue']), reason: String(headers?.['x-first-death-reason']) };
}
