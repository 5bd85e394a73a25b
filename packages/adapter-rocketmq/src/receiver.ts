import type { AdapterRuntime, IncomingRecord, Receiver, ReceiverSink, ReceiverSpec } from '@anymq/core/adapter';
import type { Client, SimpleConsumer } from './client.js';
import { decode, type NativeDelivery } from './codec.js';
import { Acks } from './internal/acks.js';
import { Ahead } from './internal/ahead.js';
import { type Batch, type Entry, toEntry } from './internal/batch.js';
import { type Acknowledgement, Subscription } from './internal/calls.js';
import { Leases } from './internal/leases.js';
import { Mutex } from './internal/mutex.js';
import { Notes } from './internal/notes.js';
import { Poller } from './internal/poller.js';
import { Queues } from './internal/queues.js';
import { within } from './internal/within.js';
import type { ParsedOptions } from './options.js';
import type { Topology } from './topology.js';

/** Loops of one receiver, at least; with more brokers as many as there are. */
const MIN_LOOPS = 3;
const MAX_LOOPS = 8;

export interface ReceiverSettings {
  readonly runtime: AdapterRuntime;
  readonly options: ParsedOptions;
  readonly topology: Topology;
  readonly client: Client<SimpleConsumer>;
  /** Names on the broker. */
  readonly topic: string;
  readonly group: string;
  closed(): void;
}

/** One topic for one group: polls, leases and acknowledgements over one client. */
export class RocketmqReceiver implements Receiver {
  readonly #spec: ReceiverSpec;
  readonly #sink: ReceiverSink;
  readonly #settings: ReceiverSettings;
  readonly #batches = new Set<Batch>();
  readonly #queues = new Queues();
  readonly #notes: Notes;
  readonly #acks: Acks;
  readonly #leases: Leases;
  readonly #poller: Poller;
  readonly #ahead: Ahead;
  /** Leased to us and not delivered yet, for want of credit. */
  #waiting: Entry[] = [];
  /** Give-backs that run beside. */
  readonly #background = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #notGivenBack = 0;
  /** Everything was given back: whatever comes yet is too. */
  #left = false;

  /** @param brokers how many have messages of the topic */
  constructor(spec: ReceiverSpec, sink: ReceiverSink, settings: ReceiverSettings, brokers: number) {
    this.#spec = spec;
    this.#sink = sink;
    this.#settings = settings;
    const { runtime, client, options, topology, group } = settings;
    const { leaseMs, pollMs } = options;
    const handles = new Mutex();
    const subscription = new Subscription(client, settings, options);
    const shared = { runtime, subscription, leaseMs, handles, lost: this.#lost.bind(this) };
    this.#notes = new Notes({ runtime, attempts: topology.attempts, group });
    this.#acks = new Acks({ ...shared, done: (entry) => this.#done(entry) });
    const acks = this.#acks;
    this.#leases = new Leases({ ...shared, batches: this.#batches, settled: (entry) => acks.add(entry) });
    this.#poller = new Poller({
      ...shared,
      loops: Math.min(MAX_LOOPS, Math.max(MIN_LOOPS, brokers)),
      pollMs,
      received: (deliveries, attempt) => this.#received(deliveries, attempt, deliveries.length),
      failed: (error) => sink.failed(error),
    });
    const take = (max: number): number => this.#poller.take(max);
    this.#ahead = new Ahead({ ...shared, queues: this.#queues, acks, take, received: this.#received.bind(this) });
    this.#poller.start();
  }

  credit(records: number): void {
    const waiting = this.#waiting.splice(0, records);
    if (waiting.length > 0) this.#sink.deliver(waiting);
    if (records > waiting.length) this.#poller.credit(records - waiting.length);
  }

  settle(records: readonly IncomingRecord[]): void {
    for (const record of records) {
      const entry = record as Entry;
      if (entry.settled) continue;
      entry.settled = true;
      if (!entry.renewing) this.#acks.add(entry);
    }
    const last = records.at(-1) as Entry | undefined;
    // The broker keeps a queue of a keyed topic from everybody until all of it is acknowledged.
    if (last?.batch.entries.every(({ settled }) => settled)) this.#acks.flush();
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#notes.failed(record as Entry, attempts);
  }

  async lag(): Promise<number> {
    const { topology, topic, group } = this.#settings;
    const undone = await topology.lag(topic, group);
    // In a locked queue the broker counts from the first unacknowledged message, else from the first undelivered one.
    if (this.#spec.topic.keyed) return undone;
    let held = 0;
    for (const { unacknowledged } of this.#batches) held += unacknowledged;
    return undone + held;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @param credit what may be delivered of it now; what is not used goes back */
  async #received(deliveries: readonly NativeDelivery[], attempt: string, credit: number): Promise<void> {
    if (this.#left) return this.#giveBack(deliveries);
    const { runtime, options } = this.#settings;
    const until = runtime.clock.monotonic() + options.leaseMs;
    const fresh = this.#spec.topic.keyed ? this.#unknown(deliveries, attempt, until) : deliveries;
    const attempts = await this.#notes.read(fresh);
    if (this.#closing !== undefined) return this.#giveBack(fresh);
    const entries = fresh.length === 0 ? [] : this.#own(fresh, attempts, until);
    if (entries.length > credit) this.#waiting.push(...entries.splice(credit));
    if (entries.length > 0) this.#sink.deliver(entries);
    if (credit > entries.length) this.credit(credit - entries.length);
    if (this.#spec.topic.keyed) this.#ahead.arm();
  }

  /** What we do not have yet; the rest has new handles and a new lease. */
  #unknown(deliveries: readonly NativeDelivery[], attempt: string, until: number): NativeDelivery[] {
    const now = this.#settings.runtime.clock.monotonic();
    const lowest = new Map<string, number>();
    for (const { queue, offset } of deliveries) lowest.set(queue, Math.min(offset, lowest.get(queue) ?? offset));
    for (const [queue, offset] of lowest) this.#queues.looked(queue, offset, attempt, now);
    return deliveries.filter((delivery) => {
      const entry = this.#queues.find(delivery);
      if (entry === undefined || (!entry.settled && entry.batch.over)) return true;
      entry.receiptHandle = delivery.receiptHandle;
      entry.leaseUntil = until;
      // Acknowledged or not: the broker has forgotten.
      if (entry.settled) this.#acks.add(entry);
      return false;
    });
  }

  /** One batch. Resolves with what is to be delivered of it. */
  #own(fresh: readonly NativeDelivery[], attempts: readonly number[] | undefined, until: number): Entry[] {
    const { queue, offset } = fresh[0] as NativeDelivery;
    const source = this.#sink.own(`${queue}/${offset}`);
    const batch: Batch = { source, entries: [], unacknowledged: fresh.length, over: false };
    const now = this.#settings.runtime.clock.now();
    fresh.forEach((delivery, index) => {
      const lease = { attempts: attempts?.[index] ?? 0, until };
      batch.entries.push(toEntry(batch, delivery, decode(delivery, now), lease));
    });
    this.#batches.add(batch);
    if (this.#spec.topic.keyed) this.#queues.add(batch.entries);
    const settledBefore = batch.entries.filter((_, index) => (attempts?.[index] ?? 0) < 0);
    this.settle(settledBefore);
    return settledBefore.length === 0 ? [...batch.entries] : batch.entries.filter(({ settled }) => !settled);
  }

  #done(entry: Entry): void {
    if (!entry.acknowledged) {
      entry.acknowledged = true;
      entry.batch.unacknowledged--;
      if (entry.batch.unacknowledged === 0) this.#end(entry.batch);
      this.#notes.forget(entry);
    }
    entry.confirmed = true;
    this.#queues.done(entry);
  }

  #lost(batch: Batch, error: unknown): void {
    if (batch.over) return;
    this.#end(batch);
    this.#waiting = this.#waiting.filter((entry) => entry.batch !== batch);
    batch.source.lost(error);
    // The rest of a queue would stay locked until its leases have run out.
    const rest = this.#giveBack(batch.entries.filter(({ settled }) => !settled));
    this.#background.add(rest);
    rest.finally(() => this.#background.delete(rest));
  }

  #end(batch: Batch): void {
    batch.over = true;
    this.#batches.delete(batch);
  }

  async #giveBack(entries: readonly Acknowledgement[]): Promise<void> {
    this.#notGivenBack += await this.#leases.giveBack(entries);
  }

  async #close(): Promise<void> {
    const { runtime, options, client, closed } = this.#settings;
    const { clock } = runtime;
    const { requestTimeoutMs, pollMs } = options;
    const polling = this.#poller.stop();
    // These first: they change the handles.
    await within(clock, 2 * requestTimeoutMs, Promise.all([this.#ahead.stop(), this.#leases.stop()]));
    await within(
      clock,
      2 * requestTimeoutMs,
      this.#acks.drained().then(() => this.#ahead.remind()),
    );
    const untold = this.#acks.stop();
    await this.#leave();
    // What a poll brings yet is given back by the poll itself.
    await within(clock, pollMs + 2 * requestTimeoutMs, polling);
    await within(clock, requestTimeoutMs, Promise.all([...this.#background, this.#notes.written()]));
    await client.stop();
    closed();
    this.#confess(untold);
  }

  /** Everything unsettled goes back at once, after a word about what will come with it and must not be handled again. */
  async #leave(): Promise<void> {
    for (const entry of this.#queues.settledAbove()) this.#notes.settled(entry);
    await within(this.#settings.runtime.clock, this.#settings.options.requestTimeoutMs, this.#notes.written());
    const unsettled = [...this.#batches].flatMap(({ entries }) => entries.filter(({ settled }) => !settled));
    this.#batches.clear();
    this.#left = true;
    await this.#giveBack(unsettled);
  }

  #confess(untold: number): void {
    const { runtime, options } = this.#settings;
    const where = `topic '${this.#spec.topic.name}', group '${this.#spec.group}'`;
    const say = (what: string): void => runtime.log.warn(`${what} of ${where}: RocketMQ has not answered.`);
    if (untold > 0) say(`${untold} handled messages will come again`);
    if (this.#notGivenBack > 0) say(`${this.#notGivenBack} messages come again only after ${options.leaseMs} ms`);
  }
}
