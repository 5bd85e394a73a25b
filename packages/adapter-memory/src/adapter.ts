import {
  type Adapter,
  type AdapterHealth,
  type AdapterRuntime,
  type GroupStanding,
  MessagingError,
  type Reader,
  type ReaderSink,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Sender,
  type TopicSpec,
} from '@anymq/core/adapter';
import { Client } from './client.js';
import { classify, MemoryFault } from './errors.js';
import type { Engine } from './internal/engine.js';
import { MemoryReader } from './internal/reader.js';
import type { MemoryBroker, Way } from './internal/way.js';
import { topicName } from './names.js';
import { MemoryReceiver } from './receiver.js';
import { MemorySender } from './sender.js';
import { type Creation, ensureGroup, ensureTopic, groupsOf, topicsOf } from './topology.js';

export class MemoryAdapter implements Adapter<MemoryBroker> {
  readonly address = 'the memory of this process';
  readonly classify = classify;
  readonly #way: Way;
  readonly #runtime: AdapterRuntime;
  readonly #topology: Creation;
  #client: Client | undefined;

  constructor(way: Way, runtime: AdapterRuntime, topology: Creation) {
    this.#way = way;
    this.#topology = topology;
    this.#runtime = runtime;
    way.attach(runtime);
  }

  get #engine(): Engine {
    return this.#way.engine;
  }

  get native(): MemoryBroker {
    if (this.#client !== undefined) return this.#way;
    const message = `Broker '${this.#runtime.broker}' is not connected. Connect before using its native client.`;
    throw new MessagingError('UNAVAILABLE', message, { adapter: 'memory' });
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#request();
    signal.throwIfAborted();
    if (this.#client !== undefined) return;
    this.#client = new Client(this.#way, this.#runtime);
    this.#runtime.connection('up');
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    await this.#connected();
    return new MemorySender(this.#way, ensureTopic(this.#engine, this.#runtime.namespace, topic, this.#topology));
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const client = await this.#connected();
    return new MemoryReceiver(
      client,
      ensureGroup(this.#engine, this.#runtime.namespace, spec, this.#topology),
      sink,
      spec.maxInFlightBytes,
    );
  }

  async openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader> {
    const client = await this.#connected();
    const stored = ensureTopic(this.#engine, this.#runtime.namespace, topic, this.#topology);
    return new MemoryReader(client, stored, from, sink);
  }

  async exists({ name }: TopicSpec): Promise<boolean> {
    await this.#connected();
    return this.#engine.find(topicName(this.#runtime.namespace, name)) !== undefined;
  }

  async topics(): Promise<readonly string[]> {
    await this.#connected();
    return topicsOf(this.#engine, this.#runtime.namespace);
  }

  async groups(topic: string): Promise<readonly GroupStanding[]> {
    await this.#connected();
    return groupsOf(this.#engine, this.#runtime.namespace, topic);
  }

  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    await this.#engine.roundTrip();
    const { refusal } = this.#way;
    if (refusal !== undefined) return { ready: false, reason: refusal.message };
    return { ready: true, latencyMs: clock.monotonic() - began };
  }

  async close(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
  }

  async #connected(): Promise<Client> {
    await this.#request();
    if (this.#client === undefined) throw new MemoryFault('stopped', 'the adapter is not connected');
    return this.#client;
  }

  /** One question to the broker and its answer. */
  async #request(): Promise<void> {
    await this.#engine.roundTrip();
    const { refusal } = this.#way;
    if (refusal !== undefined) throw refusal;
  }
}
