import type { ConsumeMessage, Options } from '../client.js';
import { identityOf } from '../codec.js';
import { type Confirms, stored } from './confirms.js';
import type { Link } from './link.js';
import { markerOf } from './markers.js';
import { type Done, readStream } from './stream.js';

export interface CopySettings {
  readonly link: Link;
  readonly confirms: Confirms;
  /** The topic's stream and control exchange. */
  readonly history: string;
  readonly control: string;
  readonly buckets: number;
  /** Id of the `before` and `after` markers to go by. */
  readonly marker: string;
  /** Routing key, on the control exchange, of a bucket's copy. */
  target(bucket: number): string;
}

/** By bucket: ids of what was stored between the two markers, so that the live queues may have them too. */
export type Overlap = ReadonlyMap<number, readonly string[]>;

/** Copies a topic's stream, from its first message to the `after` marker, bucket by bucket, in order. */
export async function copyHistory(settings: CopySettings): Promise<Overlap> {
  const copy = new HistoryCopy(settings);
  const reader = await readStream(settings.link, settings.history, (message, done) => copy.add(message, done));
  try {
    await Promise.race([copy.ended, reader.over.then((error) => Promise.reject(error))]);
  } finally {
    await reader.close();
  }
  return copy.overlap;
}

/** Whether a stream has messages before the marker `marker`. Markers of others are none. */
export async function hasMessages(link: Link, history: string, control: string, marker: string): Promise<boolean> {
  let answer: (found: boolean) => void = () => {};
  const found = new Promise<boolean>((resolve) => {
    answer = resolve;
  });
  const reader = await readStream(link, history, (message, done) => {
    if (markerOf(message, control) === undefined) answer(true);
    else if (message.properties.messageId === marker) answer(false);
    else done(message);
  });
  try {
    return await Promise.race([found, reader.over.then((error) => Promise.reject(error))]);
  } finally {
    await reader.close();
  }
}

class HistoryCopy {
  readonly #settings: CopySettings;
  /** What arrives while a part is being copied forms the next part. */
  #waiting: ConsumeMessage[] = [];
  #busy = false;
  #between = false;
  #end: { resolve: () => void; reject: (error: unknown) => void } = { resolve() {}, reject() {} };
  readonly ended: Promise<void>;
  readonly overlap = new Map<number, string[]>();

  constructor(settings: CopySettings) {
    this.#settings = settings;
    this.ended = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
  }

  add(message: ConsumeMessage, done: Done): void {
    this.#waiting.push(message);
    if (this.#busy) return;
    this.#busy = true;
    this.#run(done).catch((error) => this.#end.reject(error));
  }

  async #run(done: Done): Promise<void> {
    // The rest of a chunk comes in the same turn.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const part = this.#waiting;
      this.#waiting = [];
      const last = await this.#copy(part);
      if (last) return this.#end.resolve();
      done(part.at(-1) as ConsumeMessage);
    }
    this.#busy = false;
  }

  /** True when the `after` marker has come. */
  async #copy(part: readonly ConsumeMessage[]): Promise<boolean> {
    const { control, marker } = this.#settings;
    const messages: ConsumeMessage[] = [];
    let last = false;
    for (const message of part) {
      const kind = markerOf(message, control);
      if (kind === undefined) messages.push(message);
      if (kind === undefined && this.#between) this.#noteOverlap(message);
      if (kind === undefined || message.properties.messageId !== marker) continue;
      if (kind === 'before') this.#between = true;
      last = kind === 'after';
      if (last) break;
    }
    await this.#write(messages);
    return last;
  }

  #noteOverlap(message: ConsumeMessage): void {
    const id = identityOf(message);
    // A plain message without an id cannot be told from another: it may come twice.
    if (id === undefined) return;
    const bucket = this.#bucketOf(message);
    const ids = this.overlap.get(bucket);
    if (ids === undefined) this.overlap.set(bucket, [id]);
    else ids.push(id);
  }

  async #write(messages: readonly ConsumeMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const { confirms, control, target } = this.#settings;
    const writing = confirms.write({
      count: messages.length,
      idOf: (index) => String(messages[index]?.properties.messageId),
      publish: (channel, index) => {
        const message = messages[index] as ConsumeMessage;
        return channel.publish(control, target(this.#bucketOf(message)), message.content, copiedProperties(message));
      },
    });
    await stored(writing);
  }

  /** Where the broker has put, or would have put, the original. */
  #bucketOf({ fields: { routingKey } }: ConsumeMessage): number {
    const bucket = Number(routingKey);
    return String(bucket) === routingKey && bucket >= 0 && bucket < this.#settings.buckets ? bucket : 0;
  }
}

/** Without `userId`, which only its owner may set, and `expiration`, which the stream did not honour either. */
function copiedProperties({ properties }: ConsumeMessage): Options.Publish {
  const { headers, contentType, contentEncoding, correlationId, replyTo, messageId, timestamp, type, appId } =
    properties;
  const { 'x-stream-offset': _, ...own } = headers ?? {};
  return {
    deliveryMode: 2,
    mandatory: true,
    headers: own,
    contentType,
    contentEncoding,
    correlationId,
    replyTo,
    messageId,
    timestamp,
    type,
    appId,
  };
}
