import { orAborted } from './abort.js';
import type { AdapterRuntime } from './adapter/spi.js';
import { reconnectBackoff } from './backoff.js';
import { Broker } from './broker.js';
import { type BrowsedMessage, type BrowseOptions, browse, browseOptions } from './browse.js';
import { type Clock, systemClock } from './clock.js';
import { type ResolvedBroker, type ResolvedConfiguration, resolveConfiguration } from './config/index.js';
import { CoreConsumer } from './consumer/consumer.js';
import type { Consumer, ConsumerOptions, Subscription } from './consumer/contract.js';
import type { Departure } from './consumer/departures.js';
import type { CoreSubscription } from './consumer/subscription.js';
import type { Work } from './consumer/work.js';
import type {
  BrokerHealth,
  Description,
  GroupSummary,
  Health,
  Messaging,
  MessagingEvent,
  MessagingOptions,
  SubscriptionHealth,
  TopicSummary,
} from './contract.js';
import type { DeadLetters } from './dead-letters/contract.js';
import { CoreDeadLetters } from './dead-letters/dead-letters.js';
import { invalidArgument, MessagingError } from './errors.js';
import { type Logger, silentLogger } from './logger.js';
import { checkGroupName, checkTopicName } from './names.js';
import { groupsOf, topicsOf } from './overview.js';
import type { Producer, ProducerOptions } from './producer/contract.js';
import { CoreProducer } from './producer/producer.js';
import { checkObject, onlyKnown } from './range.js';
import { System } from './system/system.js';
import { definitionOf, type Topic } from './topic.js';

/**
 * Opens the door to the brokers of an application. Reads and checks the configuration, loads the adapters in use; connects
 * nothing yet: the first use does, or `connect()`. Rejects with `INVALID_CONFIG` or `INVALID_ARGUMENT`.
 */
export async function createMessaging(options: MessagingOptions = {}): Promise<Messaging> {
  return new CoreMessaging(options, await resolveConfiguration(options));
}

class CoreMessaging implements Messaging {
  readonly #configuration: ResolvedConfiguration;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Logger;
  readonly #brokers = new Map<string, Broker>();
  readonly #systems = new Map<string, System>();
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<CoreConsumer>();
  readonly #listeners = new Set<(event: MessagingEvent) => void>();
  #closing: Promise<void> | undefined;

  constructor(options: MessagingOptions, configuration: ResolvedConfiguration) {
    this.#configuration = configuration;
    this.#clock = options.clock ?? systemClock();
    this.#random = options.random ?? Math.random;
    this.#log = options.logger ?? silentLogger;
    for (const [name, resolved] of configuration.brokers) {
      const broker = this.#broker(name, resolved);
      this.#brokers.set(name, broker);
      this.#systems.set(name, new System(broker, { delayFailed: (...what) => this.#delayFailed(...what) }));
    }
  }

  producer(options?: ProducerOptions): Producer {
    this.#checkOpen();
    const producer = new CoreProducer(
      {
        clock: this.#clock,
        systemOf: (topic) => this.#systemOf(topic),
        closed: (closed) => this.#producers.delete(closed),
      },
      options,
    );
    this.#producers.add(producer);
    return producer;
  }

  consumer(options: ConsumerOptions): Consumer {
    this.#checkOpen();
    const consumer = new CoreConsumer(
      {
        systemOf: (topic) => this.#systemOf(topic),
        closed: (closed) => this.#consumers.delete(closed as CoreConsumer),
        handlerFailed: (subscription, work, error) => this.#handlerFailed(subscription, work, error),
        duplicateSuppressed: ({ topic, group }, { record }) =>
          this.#emit({ type: 'duplicate-suppressed', topic, group, id: record.id }),
        deduplicationFailed: (subscription, work, error) => this.#deduplicationFailed(subscription, work, error),
        gaveUp: (subscription, work, error, to) => this.#gaveUp(subscription, work, error, to),
        departureFailed: (subscription, work, what, error) => this.#departureFailed(subscription, work, what, error),
        subscriptionFailed: ({ topic, group }, error) =>
          this.#emit({ type: 'subscription-failed', topic, group, error }),
      },
      options,
    );
    this.#consumers.add(consumer);
    return consumer;
  }

  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen();
    if (signal?.aborted)
      throw new MessagingError('ABORTED', 'The signal was aborted before connecting.', { cause: signal.reason });
    const connected = Promise.all([...this.#brokers.values()].map((broker) => broker.connect())).then(() => {});
    await orAborted(connected, signal, 'connecting');
  }

  async health(): Promise<Health> {
    const brokers = await Promise.all(
      [...this.#brokers].map(async ([name, broker]) => [name, await brokerHealth(broker)] as const),
    );
    const subscriptions = await Promise.all(this.#subscriptions().map(subscriptionHealth));
    const live = this.#closing === undefined && subscriptions.every(({ state }) => state !== 'failed');
    const running = subscriptions.every(({ state }) => state === 'running' || state === 'paused' || state === 'idle');
    const answering = brokers.every(([, { state }]) => state !== 'down');
    return { live, ready: live && running && answering, brokers: Object.fromEntries(brokers), subscriptions };
  }

  describe(): Description {
    const { namespace, default: defaultBroker, routes } = this.#configuration;
    const brokers = [...this.#brokers].map(
      ([name, { configured, adapter }]) =>
        [name, { adapter: configured.name, address: adapter.address, capabilities: configured.capabilities }] as const,
    );
    const subscriptions = this.#subscriptions().map(({ topic, group, broker }) => ({
      topic,
      group,
      broker: broker.name,
    }));
    return { namespace, default: defaultBroker, routes, brokers: Object.fromEntries(brokers), subscriptions };
  }

  deadLetters(topic: Topic<never, unknown> | string, options: { readonly group: string }): DeadLetters {
    this.#checkOpen();
    checkObject('deadLetters() options', options);
    onlyKnown('deadLetters()', options, ['group']);
    const name = typeof topic === 'string' ? checkTopicName(topic) : definitionOf(topic).spec.name;
    return new CoreDeadLetters(this.#systemOf(name), name, checkGroupName(options.group));
  }

  browse<In, Out>(topic: Topic<In, Out>, options: BrowseOptions): AsyncIterable<BrowsedMessage<Out>> {
    this.#checkOpen();
    const messages = browse(this.#systemOf(topic.name), definitionOf(topic), browseOptions(options));
    return messages as AsyncIterable<BrowsedMessage<Out>>;
  }

  async topics(): Promise<readonly TopicSummary[]> {
    this.#checkOpen();
    return topicsOf(this.#systems.values());
  }

  async groups(topic: string): Promise<readonly GroupSummary[]> {
    this.#checkOpen();
    return groupsOf(this.#systemOf(checkTopicName(topic)), topic);
  }

  native<Native>(name: string = this.#configuration.default): Native {
    return this.#brokerNamed(name).adapter.native as Native;
  }

  on(listener: (event: MessagingEvent) => void): () => void {
    if (typeof listener !== 'function') throw invalidArgument('on() takes a function that gets every event.');
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A fault in one part must not leave the next part open. */
  async #close(): Promise<void> {
    for (const system of this.#systems.values()) system.stop();
    const consumers = await Promise.allSettled([...this.#consumers].map((consumer) => consumer.close()));
    const producers = await Promise.allSettled([...this.#producers].map((producer) => producer.close()));
    const systems = await Promise.allSettled([...this.#systems.values()].map((system) => system.close()));
    const brokers = await Promise.allSettled([...this.#brokers.values()].map((broker) => broker.close()));
    for (const outcome of [...consumers, ...producers, ...systems, ...brokers])
      if (outcome.status === 'rejected') throw outcome.reason;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new MessagingError('CLOSED', 'This messaging is closed. Call createMessaging() again.');
  }

  #subscriptions(): readonly CoreSubscription[] {
    return [...this.#consumers].flatMap(({ subscriptions }) => subscriptions);
  }

  #systemOf(topic: string): System {
    return this.#systems.get(this.#brokerNamed(this.#configuration.route(topic)).name) as System;
  }

  #brokerNamed(name: string): Broker {
    const broker = this.#brokers.get(name);
    if (broker !== undefined) return broker;
    throw invalidArgument(`There is no broker '${name}' in use. There are: ${[...this.#brokers.keys()].join(', ')}.`);
  }

  #broker(name: string, { adapter, origin }: ResolvedBroker): Broker {
    const { connectTimeoutMs } = this.#configuration;
    return new Broker({ name, configured: adapter, runtime: this.#runtime(name), connectTimeoutMs, origin });
  }

  #runtime(broker: string): AdapterRuntime {
    return {
      broker,
      namespace: this.#configuration.namespace,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      backoff: () => reconnectBackoff(this.#random),
      connection: (state, error) => this.#connectionChanged(broker, state, error),
    };
  }

  #connectionChanged(broker: string, state: 'up' | 'down', error: unknown): void {
    this.#log[state === 'up' ? 'info' : 'warn'](
      `The connection to broker '${broker}' is ${state}.`,
      error === undefined ? undefined : { error },
    );
    this.#emit({ type: 'connection', broker, state, ...(error === undefined ? {} : { error }) });
  }

  #handlerFailed({ topic, group }: Subscription, { record, attempts }: Work, error: unknown): void {
    this.#log.warn(`A handler of group '${group}' failed on message '${record.id}' of topic '${topic}'.`, {
      attempt: attempts,
      error,
    });
    this.#emit({ type: 'handler-failed', topic, group, id: record.id, attempt: attempts, error });
  }

  #deduplicationFailed({ topic, group }: Subscription, { record }: Work, error: unknown): void {
    const { id } = record;
    this.#log.warn(`The store of group '${group}' failed on message '${id}' of topic '${topic}'.`, { error });
    this.#emit({ type: 'deduplication-failed', topic, group, id, error });
  }

  #gaveUp({ topic, group }: Subscription, { record, attempts }: Work, error: unknown, to: string | undefined): void {
    const { id } = record;
    const where = to === undefined ? 'it was discarded' : `it is in topic '${to}'`;
    this.#log.warn(`Group '${group}' gave message '${id}' of topic '${topic}' up: ${where}.`, { attempts, error });
    if (to === undefined) this.#emit({ type: 'discarded', topic, group, id, attempts, error });
    else this.#emit({ type: 'dead-lettered', topic, group, id, attempts, to, error });
  }

  #departureFailed({ topic, group }: Subscription, { record }: Work, what: Departure, error: unknown): void {
    const { id } = record;
    const copy = what === 'letter' ? 'the dead letter' : 'the copy for a later retry';
    this.#log.error(`Group '${group}' cannot write ${copy} of message '${id}' of topic '${topic}'.`, { error });
    this.#emit({ type: what === 'letter' ? 'dead-letter-failed' : 'release-failed', topic, group, id, error });
  }

  #delayFailed(topic: string, id: string, error: unknown): void {
    this.#log.error(`Delayed message '${id}' is due and cannot be sent to topic '${topic}' yet.`, { error });
    this.#emit({ type: 'delay-failed', topic, id, error });
  }

  #emit(event: MessagingEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error(`A listener threw on a '${event.type}' event.`, { error });
      }
    }
  }
}

async function brokerHealth(broker: Broker): Promise<BrokerHealth> {
  const adapter = broker.configured.name;
  if (!broker.used) return { adapter, state: 'idle' };
  if (!broker.connected) return { adapter, state: 'down', reason: `not connected to ${broker.adapter.address} yet` };
  const { ready, latencyMs, reason } = await broker.adapter.health();
  return {
    adapter,
    state: ready ? 'up' : 'down',
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function subscriptionHealth(subscription: CoreSubscription): Promise<SubscriptionHealth> {
  const { topic, group, state, inFlight } = subscription;
  const lag = state === 'running' || state === 'paused' ? await subscription.lag().catch(() => undefined) : undefined;
  return { topic, group, broker: subscription.broker.name, state, inFlight, ...(lag === undefined ? {} : { lag }) };
}
