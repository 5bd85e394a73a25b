import { orAborted } from '../abort.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import { invalidArgument, MessagingError } from '../errors.js';
import { requireTopic } from '../requirements.js';
import { validate } from '../schema.js';
import { definitionOf, type Topic, type TopicDefinition } from '../topic.js';
import type {
  BatchItem,
  BatchItemResult,
  BatchReceipt,
  Producer,
  ProducerOptions,
  Receipt,
  SendOptions,
} from './contract.js';
import { Deadlines } from './deadlines.js';
import { producerOptions } from './options.js';
import { Outlet } from './outlet.js';
import { Outstanding } from './outstanding.js';
import { Pending } from './pending.js';
import { checkSendOptions, prepare } from './prepare.js';
import { SendBuffer } from './send-buffer.js';

const NO_OPTIONS: SendOptions = Object.freeze({});

/** What a producer needs from its messaging. */
export interface ProducerContext {
  readonly clock: Clock;
  brokerOf(topic: string): Broker;
  closed(producer: Producer): void;
}

export class CoreProducer implements Producer {
  readonly #context: ProducerContext;
  readonly #options: Required<ProducerOptions>;
  readonly #outlets = new Map<TopicDefinition, Outlet>();
  readonly #outstanding = new Outstanding();
  readonly #buffer: SendBuffer;
  readonly #deadlines: Deadlines;
  /** Per topic with an asynchronous schema: the last call's validation, so that calls keep their order. */
  readonly #validating = new Map<TopicDefinition, Promise<unknown>>();
  #sequence = 0;
  #closing: Promise<void> | undefined;

  constructor(context: ProducerContext, options?: ProducerOptions) {
    this.#context = context;
    this.#options = producerOptions(options);
    this.#buffer = new SendBuffer(this.#options.maxBuffered, this.#options.maxBufferedBytes, (pending) =>
      this.#enter(pending),
    );
    this.#deadlines = new Deadlines(context.clock, () => this.#pending());
  }

  send<In, Out>(topic: Topic<In, Out>, value: In, options: SendOptions = NO_OPTIONS): Promise<Receipt> {
    try {
      this.#checkOpen();
      const definition = definitionOf(topic);
      if (options !== NO_OPTIONS) checkSendOptions(options);
      if (options.signal?.aborted)
        throw new MessagingError('ABORTED', 'The signal was aborted before the send.', {
          cause: options.signal.reason,
        });
      return this.#send(definition, value, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async sendBatch<In, Out>(
    topic: Topic<In, Out>,
    items: readonly BatchItem<In>[],
    shared: Pick<SendOptions, 'timeoutMs' | 'signal'> = {},
  ): Promise<BatchReceipt> {
    this.#checkOpen();
    if (!Array.isArray(items)) throw invalidArgument('sendBatch() takes an array of { value, ... }.');
    const sends = items.map(({ value, ...options }) => this.send(topic, value, { ...options, ...shared }));
    const results = (await Promise.allSettled(sends)).map(toItemResult);
    return { results, failed: results.filter(({ status }) => status === 'failed').length };
  }

  flush({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return orAborted(this.#outstanding.settled(), signal, 'flushing');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#outstanding.settled();
    this.#deadlines.stop();
    await Promise.all([...this.#outlets.values()].map((outlet) => outlet.close()));
    this.#context.closed(this);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new MessagingError('CLOSED', 'This producer is closed. Get a new one from messaging.producer().');
  }

  #send(topic: TopicDefinition, input: unknown, options: SendOptions): Promise<Receipt> {
    const checked = validate(topic.schema, input, topic.spec.name);
    const before = this.#validating.get(topic);
    if (before === undefined && !(checked instanceof Promise))
      return this.#submit(topic, { input, output: checked }, options);
    return this.#sendAfter(before, topic, input, checked, options);
  }

  async #sendAfter(
    before: Promise<unknown> | undefined,
    topic: TopicDefinition,
    input: unknown,
    checked: unknown,
    options: SendOptions,
  ): Promise<Receipt> {
    const epoch = this.#outstanding.begin();
    const turn = Promise.allSettled([before, checked]);
    this.#validating.set(topic, turn);
    try {
      const output = await turn.then(() => checked);
      if (this.#validating.get(topic) === turn) this.#validating.delete(topic);
      return await this.#submit(topic, { input, output }, options);
    } finally {
      this.#outstanding.end(epoch);
    }
  }

  #submit(topic: TopicDefinition, value: { input: unknown; output: unknown }, options: SendOptions): Promise<Receipt> {
    const { clock } = this.#context;
    const { configured } = this.#context.brokerOf(topic.spec.name);
    if (!this.#outlets.has(topic)) requireTopic(configured, topic);
    const { limits } = configured.capabilities;
    const record = prepare(topic, value, options, { now: clock.now(), limits });
    const timeoutMs = options.timeoutMs ?? this.#options.sendTimeoutMs;
    const epoch = this.#outstanding.begin();
    this.#deadlines.watch(timeoutMs);
    return new Promise((resolve, reject) => {
      const released = (settled: Pending): void => this.#released(settled, epoch);
      const pending = new Pending(
        record,
        topic,
        this.#sequence++,
        { deadline: clock.monotonic() + timeoutMs, timeoutMs },
        { resolve, reject, released },
      );
      if (options.signal !== undefined) pending.abortOn(options.signal);
      this.#buffer.add(pending);
    });
  }

  #enter(pending: Pending): void {
    let outlet = this.#outlets.get(pending.topic);
    if (outlet === undefined) {
      outlet = new Outlet(this.#context.brokerOf(pending.topic.spec.name), pending.topic);
      this.#outlets.set(pending.topic, outlet);
    }
    outlet.enqueue(pending);
  }

  #released(pending: Pending, epoch: number): void {
    this.#buffer.release(pending);
    this.#outstanding.end(epoch);
    if (this.#outstanding.idle) this.#deadlines.stop();
  }

  *#pending(): Iterable<Pending> {
    yield* this.#buffer.pending();
    for (const outlet of this.#outlets.values()) yield* outlet.pending();
  }
}

function toItemResult(settled: PromiseSettledResult<Receipt>): BatchItemResult {
  return settled.status === 'fulfilled'
    ? { status: 'sent', receipt: settled.value }
    : { status: 'failed', error: settled.reason as Error };
}
