import {
  type Adapter,
  type AdapterHealth,
  type AdapterRuntime,
  type GroupStanding,
  messageOf,
  type Reader,
  type ReaderSink,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Sender,
  type TopicSpec,
} from '@anymq/core/adapter';
import {
  type Client,
  type ClientSettings,
  type Library,
  loadLibrary,
  type Producer,
  type SimpleConsumer,
} from './client.js';
import { classify, fault } from './errors.js';
import { Publisher, probe, Subscription } from './internal/calls.js';
import { keysOf } from './internal/keys.js';
import { Proxies } from './internal/proxies.js';
import { RocketmqReader } from './internal/reader.js';
import { tlsMaterial } from './internal/tls.js';
import { unlessAborted, within } from './internal/within.js';
import type { ParsedOptions } from './options.js';
import { type ReceiverSettings, RocketmqReceiver } from './receiver.js';
import { RocketmqSender } from './sender.js';
import { Topology } from './topology.js';

const HEALTH_TIMEOUT_MS = 4_000;
/** Nobody has this topic: a proxy remembers for 20 s that a topic does not exist, so no real one may be asked for. */
const PROBE_TOPIC = 'anymq-probe';

/** The clients of the library, hardened. Another set after another `connect`. */
export interface RocketmqNative {
  /** Sends for all topics. */
  readonly producer: Producer;
  /** One for each open subscription. */
  readonly consumers: readonly SimpleConsumer[];
}

/** What stands between `connect` and `close`. */
interface Connected {
  readonly library: Library;
  readonly settings: ClientSettings;
  readonly producer: Client<Producer>;
  readonly topology: Topology;
}

export class RocketmqAdapter implements Adapter<RocketmqNative> {
  readonly classify = classify;
  readonly address: string;
  readonly #runtime: AdapterRuntime;
  readonly #options: ParsedOptions;
  readonly #proxies: Proxies;
  readonly #receivers = new Map<RocketmqReceiver, Client<SimpleConsumer>>();
  readonly #readers = new Set<RocketmqReader>();
  #connected: Connected | undefined;
  #up = false;

  constructor(options: ParsedOptions, runtime: AdapterRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#proxies = new Proxies(options.endpoints);
    this.address = options.endpoints;
  }

  get native(): RocketmqNative {
    const { producer } = this.#standing;
    return { producer: producer.native, consumers: [...this.#receivers.values()].map(({ native }) => native) };
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return;
    signal.throwIfAborted();
    const library = await loadLibrary();
    const settings = await this.#clientSettings();
    const producer = library.producer(settings);
    const topology = new Topology(this.#options, this.#runtime);
    try {
      await unlessAborted(signal, this.#try(producer, topology));
    } catch (error) {
      await Promise.all([producer.stop(), topology.close()]);
      throw signal.aborted ? signal.reason : error;
    }
    this.#connected = { library, settings, producer, topology };
    this.#changed(undefined);
  }

  async openSender(spec: TopicSpec): Promise<Sender> {
    const { producer, topology } = this.#standing;
    const { requestTimeoutMs, concurrentSends } = this.#options;
    const publisher = new Publisher(producer, await topology.topic(spec), requestTimeoutMs);
    return new RocketmqSender(spec, { runtime: this.#runtime, publisher, concurrentSends });
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const { topology } = this.#standing;
    const topic = await topology.topic(spec.topic);
    const group = await topology.group(spec, topic);
    const isThere = (): Promise<boolean> => topology.hasGivenUp(group);
    const open = (next: ReceiverSink): Promise<Receiver> => this.#openGivenUp(spec, group, next);
    // Nothing is kept for a group that ends with its only member.
    const givenUp = spec.ephemeral === true ? undefined : { isThere, open };
    return this.#receive(spec, sink, { topic, group, notesOf: group, givenUp });
  }

  /** Of what was given up nothing is in any order. */
  async #openGivenUp(spec: ReceiverSpec, group: string, sink: ReceiverSink): Promise<Receiver> {
    const names = await this.#standing.topology.givenUp(group);
    const topic = { ...spec.topic, keyed: false, oneLane: false };
    return this.#receive({ ...spec, topic }, sink, { ...names, notesOf: group });
  }

  async #receive(
    spec: ReceiverSpec,
    sink: ReceiverSink,
    what: Pick<ReceiverSettings, 'topic' | 'group' | 'notesOf' | 'givenUp'>,
  ): Promise<Receiver> {
    const { library, settings, topology } = this.#standing;
    const options = this.#options;
    const client = library.consumer(settings, what.topic, what.group);
    await client.start();
    const brokers = await new Subscription(client, what, options).brokers();
    const closed = (): void => {
      this.#receivers.delete(receiver);
    };
    const parts = { runtime: this.#runtime, options, topology, client, ...what, closed };
    const receiver: RocketmqReceiver = new RocketmqReceiver(spec, sink, parts, brokers);
    this.#receivers.set(receiver, client);
    return receiver;
  }

  async openReader(spec: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader> {
    const { settings, topology } = this.#standing;
    const topic = await topology.topic(spec);
    const reader: RocketmqReader = new RocketmqReader(sink, {
      runtime: this.#runtime,
      topic,
      compacted: spec.retention === 'last-of-key',
      pulls: { ...settings, timeoutMs: settings.requestTimeoutMs },
      queues: () => topology.readable(topic),
      closed: () => this.#readers.delete(reader),
    });
    this.#readers.add(reader);
    await reader.start(from);
    return reader;
  }

  async exists({ name }: TopicSpec): Promise<boolean> {
    return this.#standing.topology.exists(name);
  }

  async topics(): Promise<readonly string[]> {
    return this.#standing.topology.topics();
  }

  async groups(topic: string): Promise<readonly GroupStanding[]> {
    return this.#standing.topology.groups(topic);
  }

  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    let health: AdapterHealth = { ready: false, reason: `RocketMQ has not answered within ${HEALTH_TIMEOUT_MS} ms.` };
    const ask = async (): Promise<void> => {
      try {
        const { producer, topology } = this.#standing;
        await Promise.all([probe(producer, PROBE_TOPIC, HEALTH_TIMEOUT_MS), topology.ping()]);
        health = { ready: true, latencyMs: clock.monotonic() - began };
      } catch (error) {
        health = { ready: false, latencyMs: clock.monotonic() - began, reason: messageOf(error) };
      }
    };
    await within(clock, HEALTH_TIMEOUT_MS, ask());
    return health;
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    await Promise.all([...this.#receivers.keys(), ...this.#readers].map((each) => each.close()));
    if (connected !== undefined) await Promise.all([connected.producer.stop(), connected.topology.close()]);
  }

  get #standing(): Connected {
    if (this.#connected !== undefined) return this.#connected;
    throw fault('UNAVAILABLE', `Not connected to RocketMQ at ${this.address}.`);
  }

  async #try(producer: Client<Producer>, topology: Topology): Promise<void> {
    await producer.start();
    await Promise.all([probe(producer, PROBE_TOPIC, this.#options.requestTimeoutMs), topology.ping()]);
  }

  async #clientSettings(): Promise<ClientSettings> {
    const { endpoints, requestTimeoutMs, pollMs, useAdvertisedAddress } = this.#options;
    const { clock, log } = this.#runtime;
    return {
      endpoints,
      proxies: this.#proxies,
      credentials: keysOf(this.#options),
      tls: await tlsMaterial(this.#options.tls),
      requestTimeoutMs,
      pollMs,
      useAdvertisedAddress,
      clock,
      log,
      outcome: (error) => this.#changed(error),
    };
  }

  /** Every call says how the connection is. Before the first `connect` succeeded nobody wants to know. */
  #changed(error: Error | undefined): void {
    const up = error === undefined;
    if (this.#connected === undefined || up === this.#up) return;
    this.#up = up;
    if (up) this.#runtime.connection('up');
    else this.#runtime.connection('down', error);
  }
}
