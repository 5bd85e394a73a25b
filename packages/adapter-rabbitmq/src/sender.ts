import type { AdapterRuntime, LaneLimits, OutgoingRecord, Sender, TopicSpec, WriteResult } from '@anymq/core/adapter';
import { type ConfirmChannel, closeQuietly } from './client.js';
import { bucketOf, toContent, toProperties } from './codec.js';
import { fault, isNotFound } from './errors.js';
import { within } from './internal/channels.js';
import { Confirms } from './internal/confirms.js';
import { type Kept, keep } from './internal/keep.js';
import type { Link } from './internal/link.js';
import type { DeclaredTopic, Topology } from './topology.js';

/** Together the sliding window of unconfirmed messages. One channel keeps the order of all that it publishes. */
const LIMITS: LaneLimits = Object.freeze({ writes: 20, records: 50, bytes: 1024 * 1024 });

/** How long closing waits for a broker that may be blocked. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How long closing waits for what is under way. */
const LEAVE_MS = 3_000;

export interface SenderSettings {
  readonly runtime: AdapterRuntime;
  /** Publishes, and nothing else: a broker in need blocks it. */
  readonly link: Link;
  readonly topology: Topology;
  readonly confirmTimeoutMs: number;
  readonly closed: () => void;
}

/** The way to one topic: one confirm channel, opened again whenever it is lost. */
export class RabbitmqSender implements Sender {
  readonly limits = LIMITS;
  readonly #spec: TopicSpec;
  readonly #settings: SenderSettings;
  readonly #closing = new AbortController();
  #confirms: Confirms | undefined;
  #topic: DeclaredTopic | undefined;
  #keeping: Promise<void> | undefined;
  #lastError: unknown;
  /** Where the next record without a key goes. */
  #turn = 0;

  constructor(spec: TopicSpec, settings: SenderSettings) {
    this.#spec = spec;
    this.#settings = settings;
  }

  /** Declares the topic and opens the channel. Rejects if either fails; afterwards it is kept open. */
  async open(): Promise<void> {
    const { runtime, link } = this.#settings;
    const { signal } = this.#closing;
    const what = `The way to topic '${this.#spec.name}'`;
    this.#keeping = keep({ runtime, link, signal, what, open: () => this.#openChannel() }, await this.#openChannel());
  }

  laneOf(): number {
    return 0;
  }

  write(_lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    const { buckets, names } = this.#topic as DeclaredTopic;
    const confirms = this.#confirms;
    if (confirms === undefined) return Promise.resolve(this.#notSent(records));
    const { namespace } = this.#settings.runtime;
    return confirms.write({
      count: records.length,
      idOf: (index) => (records[index] as OutgoingRecord).id,
      publish: (channel, index) => {
        const record = records[index] as OutgoingRecord;
        const bucket = record.key === undefined ? this.#nextBucket(buckets) : bucketOf(record.key, buckets);
        const properties = toProperties(record, this.#spec, namespace);
        return channel.publish(names.entry, String(bucket), toContent(record), properties);
      },
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // A channel that never comes ends with the connection.
    await within(this.#settings.runtime.clock, LEAVE_MS, this.#keeping ?? Promise.resolve());
    this.#settings.closed();
  }

  #nextBucket(buckets: number): number {
    this.#turn = (this.#turn + 1) % buckets;
    return this.#turn;
  }

  #notSent(records: readonly OutgoingRecord[]): WriteResult[] {
    const { blocked } = this.#settings.link;
    const why = blocked === undefined ? 'there is no channel to it now' : `it takes no messages: ${blocked}`;
    const error = fault('UNAVAILABLE', `RabbitMQ cannot be written to: ${why}.`, this.#lastError);
    return records.map(() => ({ status: 'not-sent', error }));
  }

  async #openChannel(): Promise<Kept> {
    const { runtime, link, topology, confirmTimeoutMs } = this.#settings;
    this.#topic = await topology.topic(this.#spec);
    const channel = await link.confirmChannel();
    const confirms = new Confirms(channel, {
      clock: runtime.clock,
      timeoutMs: confirmTimeoutMs,
      unroutable: (id) => this.#unroutable(id),
    });
    this.#confirms = confirms;
    const over = confirms.over.then((error) => this.#retire(channel, error));
    return { over, end: () => confirms.stop(CLOSED()) };
  }

  /**
   * Waits for the end of the old channel, so that nothing of it is stored behind what the next one resends. On a blocked
   * connection that comes with the end of the block; a broker that does not answer is not waited for.
   */
  async #retire(channel: ConfirmChannel, error: unknown): Promise<void> {
    this.#confirms = undefined;
    this.#lastError = error;
    const { runtime, topology, confirmTimeoutMs } = this.#settings;
    const timeoutMs = this.#closing.signal.aborted ? CLOSE_TIMEOUT_MS : confirmTimeoutMs;
    await within(runtime.clock, timeoutMs, closeQuietly(channel));
    // Somebody has deleted the topic: the next channel comes with a new declaration.
    if (isNotFound(error)) topology.forget();
  }

  #unroutable(id: string): WriteResult {
    const { name, history } = this.#spec;
    if (history === 'none') {
      const message = `No group receives topic '${name}', which keeps no history: message '${id}' was refused. Start a consumer first, or give the topic history.`;
      return { status: 'not-sent', error: fault('UNROUTABLE', message) };
    }
    this.#settings.topology.forget();
    const message = `Message '${id}' was refused: the queues of topic '${name}' are gone from RabbitMQ.`;
    return { status: 'not-sent', error: fault('NOT_FOUND', message) };
  }
}

const CLOSED = (): Error => fault('CLOSED', 'The sender was closed.');
