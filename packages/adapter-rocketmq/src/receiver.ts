import {
  type AdapterRuntime,
  ByteCredit,
  type IncomingRecord,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
} from '@anymq/core/adapter';
import type { Client, SimpleConsumer } from './client.js';
import { decode, type NativeDelivery } from './codec.js';
import { Acks } from './internal/acks.js';
import { Ahead } from './internal/ahead.js';
import { type Batch, type Entry, toEntry } from './internal/batch.js';
import { type Acknowledgement, Subscription } from './internal/calls.js';
import { finalFault } from './internal/final.js';
import { GivenUp } from './internal/given-up.js';
import { Leases, leftOf } from './internal/leases.js';
import { Mutex } from './internal/mutex.js';
import { Notes } from './internal/notes.js';
import { Poller } from './internal/poller.js';
import { Queues, rangesOf } from './internal/queues.js';
import { within } from './internal/within.js';
import { longestPollMs, type ParsedOptions } from './options.js';
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
  /** Whose notes say how often a message has failed. */
  readonly notesOf: string;
  /** Receives what the broker has given up of the group, if it has. Undefined: nobody asks for it. */
  readonly givenUp?: { isThere(): Promise<boolean>; open(sink: ReceiverSink): Promise<Receiver> } | undefined;
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
  readonly #givenUp: GivenUp | undefined;
  /** Leased to us and not delivered yet, for want of credit. While there are any, no poll begins. */
  #waiting: Entry[] = [];
  readonly #bytes: ByteCredit;
  /** Credit that no poll has. */
  #records = 0;
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
    this.#bytes = new ByteCredit(spec.maxInFlightBytes);
    const { runtime, client, options, topology, notesOf, givenUp } = settings;
    const { leaseMs, pollMs } = options;
    const handles = new Mutex();
    const subscription = new Subscription(client, settings, options);
    const shared = { runtime, subscription, leaseMs, handles, lost: this.#lost.bind(this) };
    this.#notes = new Notes({ runtime, attempts: topology.attempts, group: notesOf, keyed: spec.topic.keyed });
    this.#acks = new Acks({
      ...shared,
      possible: (entry) => this.#queues.canAcknowledge(entry),
      done: (entry) => this.#done(entry),
    });
    const acks = this.#acks;
    this.#leases = new Leases({
      ...shared,
      batches: this.#batches,
      settled: (entry) => acks.add(entry),
      ranOut: this.#disown.bind(this),
    });
    this.#poller = new Poller({
      ...shared,
      loops: this.#oneLane ? 1 : Math.min(MAX_LOOPS, Math.max(MIN_LOOPS, brokers)),
      pollMs,
      received: (deliveries, attempt, asked) => this.#received(deliveries, attempt, asked, deliveries.length),
      full: () => this.#waiting.length > 0 || this.#laneTaken,
      returned: () => this.#takeBack(),
      failed: (error) => sink.failed(error),
      final: (error) => finalFault(error, spec.topic, topology),
    });
    const take = (max: number): number => this.#poller.take(max);
    this.#ahead = new Ahead({ ...shared, queues: this.#queues, acks, take, received: this.#received.bind(this) });
    const deliver = this.#deliverToo.bind(this);
    this.#givenUp = givenUp && new GivenUp({ runtime, sink, deliver, ...givenUp });
    this.#poller.start();
  }

  credit(records: number, bytes: number): void {
    this.#bytes.add(bytes);
    this.#records += records;
    this.#handOver();
  }

  /** What waits goes first; the poller gets only what nothing that is here can use. */
  #handOver(): void {
    let count = 0;
    while (count < this.#records && this.#fits(this.#waiting[count])) count += 1;
    this.#records -= count;
    if (count > 0) this.#deliver(this.#waiting.splice(0, count));
    if (this.#waiting.length > 0) return;
    this.#poller.credit(this.#records);
    this.#records = 0;
  }

  #deliver(entries: readonly Entry[]): void {
    // First: the array is core's then.
    this.#givenUp?.handsOver(entries);
    this.#sink.deliver(entries);
  }

  /** Not from a poll of ours: there may be no credit but what polls have. */
  #deliverToo(records: readonly IncomingRecord[]): void {
    this.#waiting.push(...(records as readonly Entry[]));
    this.#takeBack();
  }

  #takeBack(): void {
    if (this.#waiting.length === 0) return;
    this.#records += this.#poller.take(this.#waiting.length);
    this.#handOver();
  }

  #fits(entry: Entry | undefined): boolean {
    return entry !== undefined && this.#bytes.take(entry.body.length);
  }

  settle(all: readonly IncomingRecord[]): void {
    const records = this.#givenUp?.settle(all) ?? all;
    for (const record of records) {
      const entry = record as Entry;
      if (entry.settled) continue;
      entry.settled = true;
      this.#notes.done(entry);
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
    const [own, givenUp] = await Promise.all([topology.lag(topic, group), this.#givenUp?.lag() ?? 0]);
    const undone = own + givenUp;
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

  /**
   * @param asked when it was asked for. The lease runs from somewhere between then and the answer, which may be read late
   * @param credit what may be delivered of it now; what is not used goes back
   */
  async #received(
    deliveries: readonly NativeDelivery[],
    attempt: string,
    asked: number,
    credit: number,
  ): Promise<void> {
    if (this.#left) return this.#giveBack(deliveries);
    const until = asked + this.#settings.options.leaseMs;
    const fresh = this.#spec.topic.keyed ? this.#unknown(deliveries, attempt, until) : deliveries;
    const attempts = await this.#notes.read(fresh, deliveries);
    if (this.#closing !== undefined) return this.#giveBack(fresh);
    const entries = fresh.length === 0 ? [] : this.#own(fresh, attempts, until);
    this.#records += credit;
    this.#waiting.push(...entries);
    this.#handOver();
    if (this.#spec.topic.keyed) this.#ahead.arm();
  }

  /** What we do not have yet; the rest has new handles and a new lease. */
  #unknown(deliveries: readonly NativeDelivery[], attempt: string, until: number): NativeDelivery[] {
    const now = this.#settings.runtime.clock.monotonic();
    for (const [queue, range] of rangesOf(deliveries)) this.#queues.looked(queue, range, attempt, now);
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
    const stillOwned = (): boolean => leftOf(batch, this.#settings.runtime.clock.monotonic()) > 0;
    const source = this.#sink.own(`${queue}/${offset}`, stillOwned);
    const batch: Batch = { source, entries: [], unacknowledged: fresh.length, over: false, lost: false };
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
      if (entry.batch.unacknowledged === 0) this.#finish(entry.batch);
      this.#notes.forget(entry);
    }
    entry.confirmed = true;
    this.#queues.done(entry);
  }

  /** Core remembers an ownership, and all that belongs to it, until it is told that it is over. */
  #finish(batch: Batch): void {
    this.#end(batch);
    void batch.source.drain();
  }

  #disown(batch: Batch, error: unknown): void {
    batch.lost = true;
    this.#end(batch);
    this.#waiting = this.#waiting.filter((entry) => entry.batch !== batch);
    batch.source.lost(error);
    this.#handOver();
  }

  #lost(batch: Batch, error: unknown): void {
    if (batch.over) return;
    this.#disown(batch, error);
    // The rest of a queue would stay locked until its leases have run out.
    const rest = this.#goBack(batch.entries.filter(({ settled }) => !settled));
    this.#background.add(rest);
    rest.finally(() => this.#background.delete(rest));
  }

  /** After a word about what has failed of it. */
  async #goBack(entries: readonly Entry[]): Promise<void> {
    await within(this.#settings.runtime.clock, this.#settings.options.requestTimeoutMs, this.#notes.written());
    await this.#giveBack(entries);
  }

  #end(batch: Batch): void {
    batch.over = true;
    this.#batches.delete(batch);
    if (this.#oneLane) this.#poller.credit(0);
  }

  get #oneLane(): boolean {
    return this.#spec.topic.oneLane === true;
  }

  /** A poll that finds the only queue locked by us waits longer for its being opened than one that begins then takes in all. */
  get #laneTaken(): boolean {
    return this.#oneLane && this.#batches.size > 0;
  }

  async #giveBack(entries: readonly Acknowledgement[]): Promise<void> {
    this.#notGivenBack += await this.#leases.giveBack(entries);
  }

  async #close(): Promise<void> {
    const { runtime, options, client, closed } = this.#settings;
    const { clock } = runtime;
    const { requestTimeoutMs } = options;
    const polling = this.#poller.stop();
    const givenUp = this.#givenUp?.close();
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
    await within(clock, longestPollMs(options) + 2 * requestTimeoutMs, polling);
    await within(clock, requestTimeoutMs, Promise.all([...this.#background, this.#notes.written()]));
    await Promise.all([client.stop(), givenUp]);
    await this.#removeGroup();
    closed();
    this.#confess(untold);
  }

  /** Everything unsettled goes back at once, after a word about what will come with it and must not be handled again. */
  async #leave(): Promise<void> {
    for (const entry of this.#queues.settledInVain()) this.#notes.settled(entry);
    await within(this.#settings.runtime.clock, this.#settings.options.requestTimeoutMs, this.#notes.noticed());
    const unsettled = [...this.#batches].flatMap(({ entries }) => entries.filter(({ settled }) => !settled));
    this.#batches.clear();
    this.#left = true;
    await this.#giveBack(unsettled);
  }

  /** A consumer that still polls would bring it back. What does not get through is swept up by another one. */
  async #removeGroup(): Promise<void> {
    if (this.#spec.ephemeral !== true) return;
    const { runtime, options, topology, group } = this.#settings;
    await within(
      runtime.clock,
      options.requestTimeoutMs,
      topology.removeGroup(group).catch(() => {}),
    );
  }

  #confess(untold: number): void {
    const { runtime, options } = this.#settings;
    const where = `topic '${this.#spec.topic.name}', group '${this.#spec.group}'`;
    const say = (what: string): void => runtime.log.warn(`${what} of ${where}: RocketMQ has not answered.`);
    if (untold > 0) say(`${untold} handled messages will come again`);
    if (this.#notGivenBack > 0) say(`${this.#notGivenBack} messages come again only after ${options.leaseMs} ms`);
  }
}
