import {
  type AdapterRuntime,
  type IncomingRecord,
  messageOf,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
} from '@anymq/core/adapter';
import type { Client, SimpleConsumer } from './client.js';
import { type DecodedMessage, decode, type NativeDelivery } from './codec.js';
import { Acks } from './internal/acks.js';
import { type Batch, type Entry, toEntry } from './internal/batch.js';
import { Subscription } from './internal/calls.js';
import { Leases } from './internal/leases.js';
import { Poller } from './internal/poller.js';
import { Settled } from './internal/settled.js';
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
  readonly #acks: Acks;
  readonly #leases: Leases;
  readonly #poller: Poller;
  readonly #settled: Settled;
  /** What runs beside and is awaited at the end. */
  readonly #background = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #notGivenBack = 0;

  /** @param brokers how many have messages of the topic */
  constructor(spec: ReceiverSpec, sink: ReceiverSink, settings: ReceiverSettings, brokers: number) {
    this.#spec = spec;
    this.#sink = sink;
    this.#settings = settings;
    const { runtime, client, options } = settings;
    const { leaseMs, pollMs } = options;
    const subscription = new Subscription(client, settings, options);
    const lost = (batch: Batch, error: unknown): void => this.#lost(batch, error);
    const done = (entry: Entry): void => this.#done(entry);
    this.#settled = new Settled(spec.topic.keyed);
    this.#acks = new Acks({ runtime, subscription, done, lost });
    const settled = (entry: Entry): void => this.#acks.add(entry);
    this.#leases = new Leases({ runtime, subscription, leaseMs, batches: this.#batches, settled, lost });
    this.#poller = new Poller({
      runtime,
      subscription,
      loops: Math.min(MAX_LOOPS, Math.max(MIN_LOOPS, brokers)),
      leaseMs,
      pollMs,
      received: (deliveries) => this.#received(deliveries),
      failed: (error) => sink.failed(error),
    });
    this.#poller.start();
  }

  credit(records: number): void {
    this.#poller.credit(records);
  }

  settle(records: readonly IncomingRecord[]): void {
    for (const record of records) {
      const entry = record as Entry;
      if (entry.settled) continue;
      entry.settled = true;
      if (!entry.renewing) this.#acks.add(entry);
      if (entry.noting !== undefined) this.#note(entry, 'forget', 0);
    }
    const last = records.at(-1) as Entry | undefined;
    // The broker keeps a queue of a keyed topic from everybody until all of it is acknowledged.
    if (last?.batch.entries.every(({ settled }) => settled)) this.#acks.flush();
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#note(record as Entry, 'note', attempts);
  }

  async lag(): Promise<number> {
    const { topology, topic, group } = this.#settings;
    let held = 0;
    for (const { unacknowledged } of this.#batches) held += unacknowledged;
    // The broker counts what it has delivered as done.
    return (await topology.lag(topic, group)) + held;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #received(deliveries: readonly NativeDelivery[]): Promise<void> {
    const { runtime, options } = this.#settings;
    const leaseUntil = runtime.clock.monotonic() + options.leaseMs;
    if (this.#closing !== undefined) return this.#return(deliveries);
    const decoded = deliveries.map((delivery) => decode(delivery, runtime.clock.now()));
    const attempts = await this.#attempts(deliveries, decoded);
    if (this.#closing !== undefined) return this.#return(deliveries);
    const source = this.#sink.own((deliveries[0] as NativeDelivery).position);
    const batch: Batch = { source, entries: [], unacknowledged: deliveries.length, over: false };
    deliveries.forEach((delivery, index) => {
      const lease = { attempts: attempts?.[index] ?? 0, leaseUntil };
      batch.entries.push(toEntry(batch, delivery, decoded[index] as DecodedMessage, lease));
    });
    this.#batches.add(batch);
    this.#deliver(batch);
  }

  #deliver({ entries }: Batch): void {
    const fresh: Entry[] = [];
    for (const entry of entries) {
      if (!entry.redelivered || !this.#settled.has(entry.messageId)) fresh.push(entry);
      else this.#again(entry);
    }
    this.#sink.deliver(fresh);
  }

  /** Settled before, and back only because something before it was not. */
  #again(entry: Entry): void {
    entry.settled = true;
    this.#acks.add(entry);
    this.#poller.credit(1);
  }

  /** Failed calls noted by whoever had them before; undefined when nobody had any. */
  async #attempts(
    deliveries: readonly NativeDelivery[],
    decoded: readonly DecodedMessage[],
  ): Promise<readonly number[] | undefined> {
    if (deliveries.every(({ deliveryAttempt }) => deliveryAttempt <= 1)) return undefined;
    const { topology, group, runtime } = this.#settings;
    const read = async ({ deliveryAttempt }: NativeDelivery, index: number): Promise<number> => {
      if (deliveryAttempt <= 1) return 0;
      try {
        return await topology.attempts.read(group, (decoded[index] as DecodedMessage).id);
      } catch (error) {
        runtime.log.warn(`Failed calls of a message could not be read, it counts as new: ${messageOf(error)}`);
        return 0;
      }
    };
    return Promise.all(deliveries.map(read));
  }

  #note(entry: Entry, what: 'note' | 'forget', attempts: number): void {
    const { topology, group, runtime } = this.#settings;
    const write = async (): Promise<void> => {
      try {
        if (what === 'note') await topology.attempts.note(group, entry.id, attempts);
        else await topology.attempts.forget(group, entry.id);
      } catch (error) {
        runtime.log.warn(`Failed calls of message '${entry.id}' could not be noted: ${messageOf(error)}`);
      }
    };
    // One after the other: the last word must be the last on the broker.
    entry.noting = (entry.noting ?? Promise.resolve()).then(write);
    this.#beside(entry.noting);
  }

  #done(entry: Entry): void {
    if (entry.acknowledged) return;
    entry.acknowledged = true;
    entry.batch.unacknowledged--;
    if (entry.batch.unacknowledged === 0) this.#end(entry.batch);
  }

  #lost(batch: Batch, error: unknown): void {
    if (batch.over) return;
    this.#end(batch);
    batch.source.lost(error);
    this.#settled.remember(batch);
    // The rest of a queue would stay locked until its leases have run out.
    this.#beside(this.#giveBack(batch.entries.filter(({ settled }) => !settled)));
  }

  #end(batch: Batch): void {
    batch.over = true;
    this.#batches.delete(batch);
  }

  async #giveBack(entries: readonly Entry[]): Promise<void> {
    this.#notGivenBack += await this.#leases.giveBack(entries);
  }

  /** Came too late to be handled. */
  async #return(deliveries: readonly NativeDelivery[]): Promise<void> {
    this.#notGivenBack += await this.#leases.giveBack(deliveries);
  }

  #beside(work: Promise<unknown>): void {
    this.#background.add(work);
    work.finally(() => this.#background.delete(work)).catch(() => {});
  }

  async #close(): Promise<void> {
    const { runtime, options, client, closed } = this.#settings;
    const { clock } = runtime;
    const polling = this.#poller.stop();
    // Renewals first: they change the handles.
    await within(clock, options.requestTimeoutMs, this.#leases.stop());
    await within(clock, 2 * options.requestTimeoutMs, this.#acks.drained());
    const untold = this.#acks.stop();
    const unsettled = [...this.#batches].flatMap(({ entries }) => entries.filter(({ settled }) => !settled));
    this.#batches.clear();
    await this.#giveBack(unsettled);
    // What a poll brings yet is given back by the poll itself.
    await within(clock, options.pollMs + 2 * options.requestTimeoutMs, polling);
    await within(clock, options.requestTimeoutMs, Promise.all(this.#background));
    await client.stop();
    closed();
    this.#confess(untold);
  }

  #confess(untold: number): void {
    const { runtime } = this.#settings;
    const where = `topic '${this.#spec.topic.name}', group '${this.#spec.group}'`;
    if (untold > 0) runtime.log.warn(`${untold} messages of ${where} were handled and will come again: no answer.`);
    if (this.#notGivenBack > 0) {
      runtime.log.warn(`${this.#notGivenBack} messages of ${where} come again only after ${this.#lease}: no answer.`);
    }
  }

  get #lease(): string {
    return `${this.#settings.options.leaseMs} ms`;
  }
}
