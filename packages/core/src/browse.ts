import type { ReadRecord } from './adapter/spi.js';
import { decodeWith } from './codec.js';
import { invalidArgument, type MessagingError } from './errors.js';
import type { Message } from './message.js';
import { checkObject, onlyKnown } from './range.js';
import { requireTopic } from './requirements.js';
import { validate } from './schema.js';
import { ask, orStopped } from './system/ask.js';
import type { System } from './system/system.js';
import type { TopicDefinition } from './topic.js';

/** How a topic is browsed. */
export interface BrowseOptions {
  /** `earliest`: everything that the topic keeps, then what comes; `latest`: what is sent after the first message was asked for. */
  readonly from: 'earliest' | 'latest';
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal;
}

/** A message as a browser sees it: nobody's delivery. */
export interface BrowsedMessage<T> extends Message<T> {
  /** Where it stands on the broker. */
  readonly position: string;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

export function browseOptions(options: BrowseOptions): BrowseOptions {
  checkObject('browse() options', options);
  onlyKnown('browse()', options, ['from', 'signal']);
  if (options.from !== 'earliest' && options.from !== 'latest')
    throw invalidArgument("browse() needs from: 'earliest' or 'latest'.");
  return options;
}

/** Reads a topic without a group, message by message: no faster than the loop takes them. */
export async function* browse(
  system: System,
  topic: TopicDefinition,
  { from, signal }: BrowseOptions,
): AsyncIterable<BrowsedMessage<unknown>> {
  requireTopic(system.broker.configured, topic);
  const { name } = topic.spec;
  const pages = new Pages();
  const stop = signal === undefined ? system.closing : AbortSignal.any([system.closing, signal]);
  const failed = (error: unknown): void =>
    pages.fail(system.broker.wrap(error, `Cannot read topic '${name}' any more`));
  try {
    const reader = await ask(
      system,
      (adapter) => adapter.openReader(topic.spec, from, { read: (records) => pages.put(records), failed }),
      `read topic '${name}'`,
      stop,
    );
    try {
      for (;;) for (const record of await orStopped(pages.next(), stop)) yield await messageOf(record, topic);
    } finally {
      pages.end();
      await reader.close();
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
}

async function messageOf(
  record: ReadRecord,
  { spec, codec, schema }: TopicDefinition,
): Promise<BrowsedMessage<unknown>> {
  const { id, key, headers = NO_HEADERS, time, type = spec.type, position, body } = record;
  const value = await validate(schema, decodeWith(codec, body, spec.name), spec.name);
  return { id, topic: spec.name, type, value, key, headers, time, position };
}

/** Hands over one page of records at a time: the next is not read before this one was taken whole. */
class Pages {
  #page: readonly ReadRecord[] | undefined;
  #taken = (): void => {};
  #wake = (): void => {};
  #failure: MessagingError | undefined;

  put(records: readonly ReadRecord[]): Promise<void> {
    this.#page = records;
    this.#wake();
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  fail(error: MessagingError): void {
    this.#failure = error;
    this.#wake();
  }

  /** What waits is not wanted any more. */
  end(): void {
    this.#taken();
  }

  /** The page before was taken whole. */
  async next(): Promise<readonly ReadRecord[]> {
    this.#taken();
    while (this.#page === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const page = this.#page;
    this.#page = undefined;
    return page;
  }
}
