import {
  type Adapter,
  type AdapterHealth,
  type AdapterRuntime,
  MessagingError,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Sender,
  type TopicSpec,
} from '@anymq/core/adapter';
import { Client } from './client.js';
import { classify, MemoryFault } from './errors.js';
import type { Engine, MemoryBroker } from './internal/engine.js';
import { MemoryReceiver } from './receiver.js';
import { MemorySender } from './sender.js';
import { ensureGroup, ensureTopic } from './topology.js';

export class MemoryAdapter implements Adapter<MemoryBroker> {
  readonly address = 'the memory of this process';
  readonly classify = classify;
  readonly #engine: Engine;
  readonly #runtime: AdapterRuntime;
  #client: Client | undefined;

  constructor(engine: Engine, runtime: AdapterRuntime) {
    this.#engine = engine;
    this.#runtime = runtime;
    engine.attach(runtime);
  }

  get native(): MemoryBroker {
    if (this.#client !== undefined) return this.#engine;
    const message = `Broker '${this.#runtime.broker}' is not connected. Connect before using its native client.`;
    throw new MessagingError('UNAVAILABLE', message, { adapter: 'memory' });
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#request();
    signal.throwIfAborted();
    if (this.#client !== undefined) return;
    this.#client = new Client(this.#engine, this.#runtime);
    this.#runtime.connection('up');
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    await this.#connected();
    return new MemorySender(this.#engine, ensureTopic(this.#engine, this.#runtime.namespace, topic));
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const client = await this.#connected();
    return new MemoryReceiver(client, ensureGroup(this.#engine, this.#runtime.namespace, spec), sink);
  }

  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    await this.#engine.roundTrip();
    const { refusal } = this.#engine;
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
    const { refusal } = this.#engine;
    if (refusal !== undefined) throw refusal;
  }
}
