import {
  type AdapterRuntime,
  messageOf,
  type Reader,
  type ReaderSink,
  type ReadRecord,
  type TopicSpec,
} from '@anymq/core/adapter';
import type { ConsumeMessage } from '../client.js';
import { decode } from '../codec.js';
import { classify, fault } from '../errors.js';
import { HISTORY_KEY, type Topology } from '../topology.js';
import { Batches } from './batches.js';
import { within } from './channels.js';
import { type Kept, keep } from './keep.js';
import type { Link } from './link.js';
import { markerOf, markerProperties } from './markers.js';
import { publishOwn } from './publish.js';
import { randomName } from './random.js';
import { offsetOf, readStream } from './stream.js';

/** Messages ahead of what was dealt with, and their bytes. 500 would read a third faster. */
const PREFETCH = 100;
const MAX_BYTES = 1024 * 1024;
/** How long a marker that is stored may take to come through the stream. */
const MARK_TIMEOUT_MS = 10_000;

export interface ReaderSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  readonly topology: Topology;
  readonly confirmTimeoutMs: number;
  readonly closed: () => void;
}

/** Reads a topic's stream: one channel, opened again where it stood whenever it is lost. */
export class RabbitmqReader implements Reader {
  readonly #spec: TopicSpec;
  readonly #sink: ReaderSink;
  readonly #settings: ReaderSettings;
  readonly #closing = new AbortController();
  #opening: Promise<Kept> | undefined;
  /** Offset of the next message; before the first one where to begin. */
  #next: 'first' | 'next' | number;
  /** The marker that reading begins behind, while it has not come. */
  #mark: { readonly id: string; readonly passed: () => void } | undefined;

  constructor(spec: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink, settings: ReaderSettings) {
    this.#spec = spec;
    this.#sink = sink;
    this.#settings = settings;
    this.#next = from === 'earliest' ? 'first' : 'next';
  }

  /** Creates the topic where missing and begins to read. Leaves nothing open when it rejects. */
  async open(): Promise<void> {
    const { name, history } = this.#spec;
    if (history === 'none') throw fault('UNSUPPORTED', `Topic '${name}' keeps no history: there is nothing to read.`);
    try {
      await (this.#next === 'next' ? this.#openBehindMark() : this.#keep());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening?.then(
      (kept) => kept.end(),
      () => {},
    );
    this.#settings.closed();
  }

  async #keep(): Promise<void> {
    const { runtime, consuming: link } = this.#settings;
    const what = `The reader of topic '${this.#spec.name}'`;
    const hopeless = (error: unknown): boolean => {
      const { retryable } = classify(error);
      if (!retryable) this.#sink.failed(error);
      else runtime.log.debug(`${what} cannot be opened yet: ${messageOf(error)}`);
      return !retryable;
    };
    const first = await this.#open();
    // Not waited for when closing: it ends with the sink's last answer, and the sink may be who closes.
    void keep({ runtime, link, signal: this.#closing.signal, what, open: () => this.#open(), hopeless }, first);
  }

  /** Without a message of ours there would be no offset to go on at after an outage before the first message. */
  async #openBehindMark(): Promise<void> {
    const { runtime, topology } = this.#settings;
    const id = `marker-${randomName(runtime.random)}`;
    const passed = new Promise<void>((resolve) => {
      this.#mark = { id, passed: resolve };
    });
    await this.#keep();
    // Of this stream: one that is opened after it begins behind the marker.
    const over = this.#opening?.then((stream) => stream.over);
    const { control } = (await topology.topic(this.#spec)).names;
    const mark = { id, content: Buffer.alloc(0), properties: markerProperties('tail', id) };
    await publishOwn(this.#settings, control, HISTORY_KEY, [mark]);
    await within(runtime.clock, MARK_TIMEOUT_MS, Promise.race([passed, over]));
    if (this.#mark !== undefined)
      throw fault('UNAVAILABLE', `Topic '${this.#spec.name}' could not be read to its end.`);
  }

  #open(): Promise<Kept> {
    this.#opening = this.#openStream();
    return this.#opening;
  }

  async #openStream(): Promise<Kept> {
    const { consuming, topology } = this.#settings;
    const { history, control } = (await topology.topic(this.#spec)).names;
    const batches = new Batches((messages) => this.#deal(messages, control), PREFETCH, MAX_BYTES);
    const start = { offset: this.#next, prefetch: PREFETCH };
    const stream = await readStream(consuming, history, (message, done) => batches.add(message, done), start);
    return { over: stream.over.then((error) => this.#ended(batches, error)), end: () => stream.close() };
  }

  /** The next stream is opened when the sink has answered for this one: it gets one batch at a time. */
  async #ended(batches: Batches, error: unknown): Promise<void> {
    this.#settings.runtime.log.debug(`The stream of topic '${this.#spec.name}' ended: ${messageOf(error)}`);
    await batches.stop();
  }

  async #deal(messages: readonly ConsumeMessage[], control: string): Promise<void> {
    const records: ReadRecord[] = [];
    for (const message of messages) if (this.#isNew(message, control)) records.push(this.#toRecord(message));
    if (records.length > 0 && !this.#closing.signal.aborted) await this.#sink.read(records);
  }

  /** Goes on behind the message. False for markers, and for what stands before the mark. */
  #isNew(message: ConsumeMessage, control: string): boolean {
    const offset = offsetOf(message);
    if (typeof this.#next === 'number' && offset > this.#next) this.#tellGap(offset - this.#next);
    this.#next = offset + 1;
    const marker = markerOf(message, control) !== undefined;
    if (this.#mark === undefined) return !marker;
    if (!marker || message.properties.messageId !== this.#mark.id) return false;
    this.#mark.passed();
    this.#mark = undefined;
    return false;
  }

  /** The broker begins at the first that it has, and says nothing. */
  #tellGap(count: number): void {
    this.#settings.runtime.log.warn(
      `The reader of topic '${this.#spec.name}' was away too long: ${count} records are not kept any more.`,
    );
  }

  #toRecord(message: ConsumeMessage): ReadRecord {
    const { id, time, ...rest } = decode(message);
    const position = `${this.#spec.name}#${offsetOf(message)}`;
    return {
      ...rest,
      id: id ?? position,
      position,
      body: message.content,
      time: time ?? this.#settings.runtime.clock.now(),
    };
  }
}
