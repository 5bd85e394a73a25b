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
import type { Connection } from './client.js';
import { classify, fault } from './errors.js';
import { withChannel, within } from './internal/channels.js';
import { Dialer } from './internal/dialer.js';
import { Link } from './internal/link.js';
import { Mutex } from './internal/mutex.js';
import { RabbitmqReader } from './internal/reader.js';
import { Registry } from './internal/registry.js';
import { standingOf } from './internal/standing.js';
import type { ParsedOptions } from './options.js';
import { RabbitmqReceiver } from './receiver.js';
import { RabbitmqSender } from './sender.js';
import { Topology } from './topology.js';

const HEALTH_TIMEOUT_MS = 4_000;

/** The connections of the client library. They change when a connection was lost: ask again instead of keeping one. */
export interface RabbitmqNative {
  /** What messages are published on. The broker stops reading from it when it is short of memory or disk. */
  readonly publishConnection: Connection;
  /** What is consumed and declared on: never publish here. */
  readonly consumeConnection: Connection;
}

export class RabbitmqAdapter implements Adapter<RabbitmqNative> {
  readonly classify = classify;
  readonly address: string;
  readonly #runtime: AdapterRuntime;
  readonly #options: ParsedOptions;
  readonly #publishing: Link;
  readonly #consuming: Link;
  readonly #topology: Topology;
  readonly #registry: Registry;
  /** Topics that {@link exists} was asked for. */
  readonly #askedFor = new Set<string>();
  readonly #mutex = new Mutex();
  readonly #open = new Set<{ close(): Promise<void> }>();
  #up = false;

  constructor(options: ParsedOptions, runtime: AdapterRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    const dialer = new Dialer(options);
    this.address = dialer.address;
    this.#publishing = this.#link('publish', dialer, false);
    this.#consuming = this.#link('consume', dialer, true);
    this.#registry = new Registry({ ...this.#links(), mayCreate: options.topology === 'create' });
    this.#topology = new Topology(this.#consuming, runtime.namespace, options, ({ spec, buckets }) =>
      this.#registry.note({ topic: spec.name, buckets }),
    );
  }

  get native(): RabbitmqNative {
    return { publishConnection: this.#publishing.connection, consumeConnection: this.#consuming.connection };
  }

  async connect(signal: AbortSignal): Promise<void> {
    // One after the other: wrong credentials are one failed login in the broker's log, not two.
    if (!this.#consuming.isUp) await this.#consuming.connect(signal);
    try {
      if (!this.#publishing.isUp) await this.#publishing.connect(signal);
    } catch (error) {
      await this.#consuming.disconnect();
      throw error;
    }
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    const sender: RabbitmqSender = new RabbitmqSender(topic, {
      runtime: this.#runtime,
      link: this.#publishing,
      topology: this.#topology,
      confirmTimeoutMs: this.#options.confirmTimeoutMs,
      closed: () => this.#open.delete(sender),
    });
    await sender.open();
    this.#open.add(sender);
    return sender;
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const receiver: RabbitmqReceiver = new RabbitmqReceiver(spec, sink, {
      ...this.#links(),
      topology: this.#topology,
      mutex: this.#mutex,
      mayCreate: this.#options.topology === 'create',
      maxPrefetch: this.#options.maxPrefetch,
      closed: () => this.#open.delete(receiver),
    });
    this.#open.add(receiver);
    await receiver.open();
    if (spec.ephemeral !== true) this.#registry.note({ topic: spec.topic.name, group: spec.group });
    return receiver;
  }

  async openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader> {
    const reader: RabbitmqReader = new RabbitmqReader(topic, from, sink, {
      ...this.#links(),
      topology: this.#topology,
      closed: () => this.#open.delete(reader),
    });
    this.#open.add(reader);
    await reader.open();
    return reader;
  }

  /** Asked again and again, of topics that mostly are not there: at first the broker, then the registry is, if there is one. */
  async exists({ name }: TopicSpec): Promise<boolean> {
    const first = !this.#askedFor.has(name);
    this.#askedFor.add(name);
    if (!first && this.#registry.follows && !(await this.#registry.knows(name))) return false;
    return this.#topology.exists(name);
  }

  /** Those that were used by a process that may create topics, and were not deleted since. */
  async topics(): Promise<readonly string[]> {
    const topics: string[] = [];
    for (const topic of (await this.#registry.read()).buckets.keys())
      if (await this.#topology.exists(topic)) topics.push(topic);
    return topics.sort();
  }

  async groups(topic: string): Promise<readonly GroupStanding[]> {
    if (!(await this.#topology.exists(topic))) throw fault('NOT_FOUND', `Topic '${topic}' does not exist on RabbitMQ.`);
    const listing = await this.#registry.read();
    const buckets = listing.buckets.get(topic);
    if (buckets === undefined) return [];
    const groups = [...(listing.groups.get(topic) ?? [])].sort();
    return standingOf({ runtime: this.#runtime, consuming: this.#consuming, topic, buckets }, groups);
  }

  /** Asks on the consuming connection: on a blocked one no request is answered. */
  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    let health: AdapterHealth = { ready: false, reason: `RabbitMQ has not answered within ${HEALTH_TIMEOUT_MS} ms.` };
    const ask = async (): Promise<void> => {
      try {
        await withChannel(this.#consuming, (channel) => channel.checkExchange('amq.direct'));
        health = this.#answered(clock.monotonic() - began);
      } catch (error) {
        health = { ready: false, reason: messageOf(error) };
      }
    };
    await within(clock, HEALTH_TIMEOUT_MS, ask());
    return health;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((each) => each.close()));
    await this.#registry.close();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  #answered(latencyMs: number): AdapterHealth {
    const { isUp, blocked } = this.#publishing;
    if (!isUp) return { ready: false, latencyMs, reason: 'The publish connection to RabbitMQ is down.' };
    if (blocked !== undefined) return { ready: false, latencyMs, reason: `RabbitMQ takes no messages: ${blocked}.` };
    return { ready: true, latencyMs };
  }

  #links(): { runtime: AdapterRuntime; publishing: Link; consuming: Link; confirmTimeoutMs: number } {
    const { confirmTimeoutMs } = this.#options;
    return { runtime: this.#runtime, publishing: this.#publishing, consuming: this.#consuming, confirmTimeoutMs };
  }

  #link(purpose: string, dialer: Dialer, owning: boolean): Link {
    const name = `anymq ${this.#runtime.namespace}/${this.#runtime.broker} ${purpose}`;
    const changed = (error?: unknown): void => this.#changed(error);
    return new Link(purpose, (signal) => dialer.dial(name, signal), this.#runtime, changed, owning);
  }

  #changed(error: unknown): void {
    // What was declared may be gone with a broker that came back empty.
    this.#topology.forget();
    this.#registry.forget();
    const up = this.#publishing.isUp && this.#consuming.isUp;
    if (up === this.#up) return;
    this.#up = up;
    this.#runtime.connection(up ? 'up' : 'down', error);
  }
}
