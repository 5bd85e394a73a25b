import { orAborted } from '../abort.js';
import type { Broker } from '../broker.js';
import { invalidArgument, MessagingError } from '../errors.js';
import type { BatchHandler, Handler } from '../message.js';
import { checkObject, onlyKnown } from '../range.js';
import { requireBroadcast, requireRetry, requireStart, requireTopic, supports } from '../requirements.js';
import type { System } from '../system/system.js';
import { definitionOf, type Topic, type TopicDefinition } from '../topic.js';
import type { BatchOptions, Consumer, ConsumerOptions, SubscribeOptions, Subscription } from './contract.js';
import type { Departure } from './departures.js';
import { letterTopic } from './letter.js';
import { consumerOptions, type ResolvedSubscribeOptions, subscribeOptions } from './options.js';
import { CoreSubscription } from './subscription.js';
import type { Work } from './work.js';

/** What a consumer needs from its messaging. */
export interface ConsumerContext {
  systemOf(topic: string): System;
  closed(consumer: Consumer): void;
  handlerFailed(subscription: Subscription, work: Work, error: unknown): void;
  duplicateSuppressed(subscription: Subscription, work: Work): void;
  deduplicationFailed(subscription: Subscription, work: Work, error: unknown): void;
  gaveUp(subscription: Subscription, work: Work, error: unknown, to: string | undefined): void;
  departureFailed(subscription: Subscription, work: Work, what: Departure, error: unknown): void;
  subscriptionFailed(subscription: Subscription, error: MessagingError): void;
}

export class CoreConsumer implements Consumer {
  readonly group: string;
  readonly #context: ConsumerContext;
  readonly #drainTimeoutMs: number;
  readonly #broadcast: boolean;
  readonly #subscriptions = new Map<string, CoreSubscription>();
  #closing: Promise<void> | undefined;

  constructor(context: ConsumerContext, options: ConsumerOptions) {
    const { group, broadcast, drainTimeoutMs } = consumerOptions(options);
    this.group = group;
    this.#context = context;
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#broadcast = broadcast;
  }

  get subscriptions(): readonly CoreSubscription[] {
    return [...this.#subscriptions.values()];
  }

  subscribe<In, Out>(
    topic: Topic<In, Out>,
    handler: Handler<Out> | BatchHandler<Out>,
    options: SubscribeOptions & { readonly batch?: BatchOptions | undefined } = {},
  ): Subscription {
    this.#checkOpen();
    const definition = definitionOf(topic);
    if (typeof handler !== 'function')
      throw invalidArgument(`The handler of topic '${topic.name}' must be a function.`);
    if (this.#subscriptions.has(topic.name)) {
      throw new MessagingError(
        'CONFLICT',
        `Group '${this.group}' has a subscription of topic '${topic.name}' in this consumer already.`,
      );
    }
    const subscription = this.#subscription(definition, handler as Handler<unknown> | BatchHandler<unknown>, options);
    this.#subscriptions.set(topic.name, subscription);
    return subscription;
  }

  async start(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen();
    checkObject('start() options', options);
    onlyKnown('start()', options, ['signal']);
    if (options.signal?.aborted)
      throw new MessagingError('ABORTED', 'The signal was aborted before the start.', { cause: options.signal.reason });
    const started = Promise.all(this.subscriptions.map((subscription) => subscription.start())).then(() => {});
    await orAborted(started, options.signal, `starting the consumer of group '${this.group}'`);
  }

  pause(): void {
    for (const subscription of this.#subscriptions.values()) subscription.pause();
  }

  resume(): void {
    for (const subscription of this.#subscriptions.values()) subscription.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = await Promise.allSettled(
      this.subscriptions.map((subscription) => subscription.close(this.#drainTimeoutMs)),
    );
    this.#context.closed(this);
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }

  #subscription(
    topic: TopicDefinition,
    handler: Handler<unknown> | BatchHandler<unknown>,
    given: SubscribeOptions,
  ): CoreSubscription {
    const system = this.#context.systemOf(topic.spec.name);
    const { broker } = system;
    const keepsLetters = supports(broker.configured, 'dead-letters');
    const options = subscribeOptions(topic, given, { broadcast: this.#broadcast, keepsLetters });
    this.#require(broker, topic, options);
    const subscription: CoreSubscription = new CoreSubscription({
      topic,
      group: this.group,
      broadcast: this.#broadcast,
      handler,
      options,
      system,
      letterSystem: this.#letterSystem(topic, system, options),
      handlerFailed: (work, error) => this.#context.handlerFailed(subscription, work, error),
      duplicateSuppressed: (work) => this.#context.duplicateSuppressed(subscription, work),
      deduplicationFailed: (work, error) => this.#context.deduplicationFailed(subscription, work, error),
      gaveUp: (work, error, to) => this.#context.gaveUp(subscription, work, error, to),
      departureFailed: (work, what, error) => this.#context.departureFailed(subscription, work, what, error),
      subscriptionFailed: (error) => this.#context.subscriptionFailed(subscription, error),
    });
    return subscription;
  }

  /** Throws `UNSUPPORTED` for what the broker cannot do. */
  #require({ configured }: Broker, topic: TopicDefinition, options: ResolvedSubscribeOptions): void {
    requireTopic(configured, topic);
    requireStart(configured, topic, options.startFrom);
    requireRetry(configured, topic, options.failure);
    if (this.#broadcast) requireBroadcast(configured, topic);
  }

  /** Where letters go may be another broker than where their messages come from. */
  #letterSystem(topic: TopicDefinition, own: System, { failure }: ResolvedSubscribeOptions): System | undefined {
    if (failure.deadLetter === 'kept') return own;
    if (typeof failure.deadLetter !== 'object') return undefined;
    const letters = letterTopic(topic, failure.deadLetter.topic);
    const system = this.#context.systemOf(letters.spec.name);
    requireTopic(system.broker.configured, letters);
    return system;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new MessagingError('CLOSED', 'This consumer is closed. Get a new one from messaging.consumer().');
  }
}
