import { orAborted } from '../abort.js';
import type { Broker } from '../broker.js';
import { invalidArgument, MessagingError } from '../errors.js';
import type { BatchHandler, Handler } from '../message.js';
import { checkObject, onlyKnown } from '../range.js';
import { requireStart, requireTopic } from '../requirements.js';
import { definitionOf, type Topic, type TopicDefinition } from '../topic.js';
import type { BatchOptions, Consumer, ConsumerOptions, SubscribeOptions, Subscription } from './contract.js';
import { consumerOptions, subscribeOptions } from './options.js';
import { CoreSubscription } from './subscription.js';
import type { Work } from './work.js';

/** What a consumer needs from its messaging. */
export interface ConsumerContext {
  brokerOf(topic: string): Broker;
  closed(consumer: Consumer): void;
  handlerFailed(subscription: Subscription, work: Work, error: unknown): void;
  subscriptionFailed(subscription: Subscription, error: MessagingError): void;
}

export class CoreConsumer implements Consumer {
  readonly group: string;
  readonly #context: ConsumerContext;
  readonly #drainTimeoutMs: number;
  readonly #subscriptions = new Map<string, CoreSubscription>();
  #closing: Promise<void> | undefined;

  constructor(context: ConsumerContext, options: ConsumerOptions) {
    const { group, drainTimeoutMs } = consumerOptions(options);
    this.group = group;
    this.#context = context;
    this.#drainTimeoutMs = drainTimeoutMs;
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
    const options = subscribeOptions(topic, given);
    const broker = this.#context.brokerOf(topic.spec.name);
    requireTopic(broker.configured, topic);
    requireStart(broker.configured, topic, options.startFrom);
    const subscription: CoreSubscription = new CoreSubscription({
      topic,
      group: this.group,
      handler,
      options,
      broker,
      handlerFailed: (work, error) => this.#context.handlerFailed(subscription, work, error),
      subscriptionFailed: (error) => this.#context.subscriptionFailed(subscription, error),
    });
    return subscription;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new MessagingError('CLOSED', 'This consumer is closed. Get a new one from messaging.consumer().');
  }
}
