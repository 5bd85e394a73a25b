import { orAborted } from '../abort.js';
import type { OutgoingRecord, TopicSpec } from '../adapter/spi.js';
import type { Clock } from '../clock.js';
import { invalidArgument, MessagingError } from '../errors.js';
import { requireDelay, requireTopic } from '../requirements.js';
import { validate } from '../schema.js';
import type { System } from '../system/system.js';
import { systemTopic } from '../system/topics.js';
import { definitionOf, type Topic, type TopicDefinition } from '../topic.js';
import type {
  BatchItem,
  BatchItemResult,
  BatchReceipt,
  Cancellation,
  Producer,
  ProducerOptions,
  Receipt,
  SendOptions,
} from './contract.js';
import { Deadlines } from './deadlines.js';
import { dueAt, readToken, writeToken } from './due.js';
import { Ids } from './ids.js';
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
  systemOf(topic: string): System;
  closed(producer: Producer): void;
}

export class CoreProducer implements Producer {
  readonly #context: ProducerContext;
  readonly #options: Required<ProducerOptions>;
  readonly #outlets = new Map<TopicDefinition, Outlet>();
  /** Delay lines by broker and name. */
  readonly #lines = new Map<string, TopicDefinition>();
  readonly #outstanding = new Outstanding();
  readonly #buffer: SendBuffer;
  readonly #deadlines: Deadlines;
  /** Per topic with an asynchronous schema: the last call's validation, so that calls keep their order. */
  readonly #validating = new Map<TopicDefinition, Promise<unknown>>();
  readonly #ids = new Ids();
  /** One function for all sends: a closure for each would live as long as the send. */
  readonly #released = (pending: Pending): void => {
    this.#buffer.release(pending);
    this.#outstanding.end(pending.call.epoch);
  };
  #sequence = 0;
  #closing: Promise<void> | undefined;

  constructor(context: ProducerContext, options?: ProducerOptions) {
    this.#context = context;
    this.#options = producerOptions(options);
    this.#buffer = new SendBuffer(this.#options.maxBuffered, this.#options.maxBufferedBytes, (pending) =>
      this.#outletOf(pending.topic).enqueue(pending),
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

  async cancel(cancelToken: string): Promise<Cancellation> {
    this.#checkOpen();
    const { topic, token, deliverAt } = readToken(cancelToken);
    if (token === undefined) return 'too-late';
    return this.#context.systemOf(topic).delays.cancel(token, deliverAt);
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
    const now = this.#context.clock.now();
    const outlet = this.#outletOf(topic);
    const record = prepare(topic, value, options, { now, limits: outlet.limits, ids: this.#ids });
    const deliverAt = dueAt(options, now);
    if (deliverAt === undefined) return this.#enqueue(topic, record, options);
    if (deliverAt > now) return this.#delay(topic, record, { deliverAt, now }, options);
    const cancelToken = writeToken({ topic: topic.spec.name, token: undefined, deliverAt });
    return this.#enqueue(topic, record, options).then((receipt) => ({ ...receipt, cancelToken }));
  }

  #enqueue(topic: TopicDefinition, record: OutgoingRecord, options: SendOptions): Promise<Receipt> {
    const { clock } = this.#context;
    const timeoutMs = options.timeoutMs ?? this.#options.sendTimeoutMs;
    this.#deadlines.watch(timeoutMs);
    const pending = new Pending(
      record,
      topic,
      {
        sequence: this.#sequence++,
        epoch: this.#outstanding.begin(),
        deadline: clock.monotonic() + timeoutMs,
        timeoutMs,
      },
      this.#released,
    );
    if (options.signal !== undefined) pending.abortOn(options.signal);
    this.#buffer.add(pending);
    return pending.receipt;
  }

  /** Into a delay line: it stands, and somebody works through it, before anything is written there. */
  async #delay(
    topic: TopicDefinition,
    message: OutgoingRecord,
    { deliverAt, now }: { readonly deliverAt: number; readonly now: number },
    options: SendOptions,
  ): Promise<Receipt> {
    const { delays, broker } = this.#context.systemOf(topic.spec.name);
    requireDelay(broker.configured, topic.spec.name, deliverAt - now);
    const token = delays.newToken();
    const { key, type, contentType, id, time } = message;
    const delay = { token, deliverAt, to: topic.spec, asParcel: false };
    const { spec, record } = delays.place(message, { key, type, contentType }, delay, 'wait');
    await this.#enqueue(this.#lineOf(spec, topic), record, options);
    const cancelToken = writeToken({ topic: topic.spec.name, token, deliverAt });
    return { id, topic: topic.spec.name, position: undefined, time, cancelToken };
  }

  /** A line as a topic of this producer: its broker is the delayed message's. */
  #lineOf(spec: TopicSpec, { spec: { name } }: TopicDefinition): TopicDefinition {
    const { broker, delays } = this.#context.systemOf(name);
    const key = `${broker.name} ${spec.name}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = systemTopic(spec);
      this.#lines.set(key, line);
      this.#outlets.set(line, new Outlet(broker, line, () => delays.start()));
    }
    return line;
  }

  /** Throws `UNSUPPORTED` for a topic that its broker cannot serve. */
  #outletOf(topic: TopicDefinition): Outlet {
    let outlet = this.#outlets.get(topic);
    if (outlet === undefined) {
      const { broker } = this.#context.systemOf(topic.spec.name);
      requireTopic(broker.configured, topic);
      outlet = new Outlet(broker, topic);
      this.#outlets.set(topic, outlet);
    }
    return outlet;
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
