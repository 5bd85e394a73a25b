import type { IncomingRecord, Receiver, ReceiverSink, Source } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import { MessagingError } from '../errors.js';
import type { BatchHandler, Handler } from '../message.js';
import type { TopicDefinition } from '../topic.js';
import { Calls } from './calls.js';
import type { Subscription, SubscriptionState } from './contract.js';
import { Dispatcher, type DispatcherSink } from './dispatcher.js';
import type { ResolvedSubscribeOptions } from './options.js';
import { Ownership } from './ownership.js';
import type { Work } from './work.js';

export interface SubscriptionSettings {
  readonly topic: TopicDefinition;
  readonly group: string;
  readonly handler: Handler<unknown> | BatchHandler<unknown>;
  readonly options: ResolvedSubscribeOptions;
  readonly broker: Broker;
  readonly handlerFailed: (work: Work, error: unknown) => void;
  readonly subscriptionFailed: (error: MessagingError) => void;
}

/** One topic received for one group: grants credit, hands records to the dispatcher, settles in batches. */
export class CoreSubscription implements Subscription {
  readonly #settings: SubscriptionSettings;
  readonly #dispatcher: Dispatcher;
  readonly #sources = new Set<Ownership>();
  #state: Exclude<SubscriptionState, 'paused'> = 'idle';
  #paused = false;
  #receiver: Receiver | undefined;
  #starting: Promise<void> | undefined;
  /** Ends a start that waits for its broker. */
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;
  #inFlight = 0;
  /** Credit given and not used yet. */
  #credit = 0;
  #settled: IncomingRecord[] = [];
  #flushing = false;

  constructor(settings: SubscriptionSettings) {
    this.#settings = settings;
    const { topic, group, handler, options, broker } = settings;
    const calls = new Calls(topic, group, handler);
    const sink: DispatcherSink = {
      acked: (work) => this.#acked(work),
      failed: (work, error) => this.#handlerFailed(work, error),
      dropped: (count) => this.#dropped(count),
    };
    this.#dispatcher = new Dispatcher(options, topic.spec.keyed, calls, broker.runtime.clock, sink);
  }

  get topic(): string {
    return this.#settings.topic.spec.name;
  }

  get group(): string {
    return this.#settings.group;
  }

  get broker(): Broker {
    return this.#settings.broker;
  }

  get state(): SubscriptionState {
    return this.#state === 'running' && this.#paused ? 'paused' : this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  pause(): void {
    this.#paused = true;
    this.#dispatcher.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#dispatcher.resume();
    this.#flushSoon();
  }

  async lag(): Promise<number> {
    if (this.#receiver === undefined)
      throw new MessagingError('UNAVAILABLE', `The subscription of '${this.topic}' has not started.`);
    try {
      return await this.#receiver.lag();
    } catch (error) {
      throw this.#wrap(error, 'Cannot read the lag');
    }
  }

  /** Shared by all who wait; a failure is forgotten, so that the next start tries again. */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = undefined;
      if (this.#state === 'starting') this.#state = 'idle';
      throw error;
    });
    return this.#starting;
  }

  close(drainTimeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(drainTimeoutMs);
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { topic, group, options, broker } = this.#settings;
    this.#state = 'starting';
    const spec = {
      topic: topic.spec,
      group,
      startFrom: options.startFrom,
      maxInFlight: options.maxInFlight,
      charter: charterOf(topic, options),
    };
    const sink: ReceiverSink = {
      own: (name) => this.#own(name),
      deliver: (records) => this.#deliver(records),
      failed: (error) => this.#receiverFailed(error),
    };
    const what = `join group '${group}' on topic '${this.topic}'`;
    const receiver = await broker
      .run((adapter) => adapter.openReceiver(spec, sink), what, this.#stop.signal)
      .catch((error) => {
        throw this.#wrap(error, `Cannot ${what}`);
      });
    this.#receiver = receiver;
    if (this.#state !== 'starting') return receiver.close();
    this.#state = 'running';
    this.#flushSoon();
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#state = 'closed';
    const stopped = this.#dispatcher.stop();
    this.#stop.abort(new MessagingError('CLOSED', `The consumer of group '${this.group}' was closed.`));
    await this.#starting?.catch(() => {});
    await this.#drained(stopped, drainTimeoutMs);
    this.#flush();
    // What still runs has lost its time: it is told, and nothing it does counts any more.
    const late = new MessagingError(
      'ABORTED',
      `The consumer was closed and the handler did not end within ${drainTimeoutMs} ms.`,
    );
    for (const source of this.#sources) source.abort(late);
    await this.#receiver?.close();
    for (const source of this.#sources) source.lost();
    this.#receiver = undefined;
  }

  async #drained(stopped: Promise<void>, drainTimeoutMs: number): Promise<void> {
    const { clock } = this.broker.runtime;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(drainTimeoutMs, resolve);
      stopped.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #own(name: string): Source {
    const source = new Ownership(name, (left) => this.#left(left));
    this.#sources.add(source);
    return source;
  }

  #deliver(records: readonly IncomingRecord[]): void {
    this.#credit -= records.length;
    this.#inFlight += records.length;
    this.#dispatcher.add(records);
  }

  /** The source ends: what no handler has is dropped, what is settled must be handed over now. */
  #left(source: Ownership): void {
    this.#dispatcher.discard(source);
    this.#flush();
    this.#sources.delete(source);
  }

  #receiverFailed(error: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = 'failed';
    const failure = this.#wrap(error, `Group '${this.group}' cannot receive topic '${this.topic}' any more`);
    this.#settings.subscriptionFailed(failure);
    for (const source of [...this.#sources]) source.lost(failure);
    this.#receiver
      ?.close()
      .catch((late) => this.broker.runtime.log.warn('A failed receiver did not close.', { error: late }));
  }

  #handlerFailed(work: Work, error: unknown): void {
    this.#receiver?.hold(work.record, work.attempts);
    this.#settings.handlerFailed(work, error);
  }

  #acked(work: Work): void {
    this.#inFlight -= 1;
    this.#settled.push(work.record);
    this.#flushSoon();
  }

  #dropped(count: number): void {
    this.#inFlight -= count;
    this.#flushSoon();
  }

  /** One settlement and one grant of credit for all that ends in the same turn. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#receiver === undefined) return;
    if (this.#settled.length > 0) {
      const settled = this.#settled;
      this.#settled = [];
      this.#receiver.settle(settled);
    }
    const more = this.#settings.options.maxInFlight - this.#inFlight - this.#credit;
    if (more <= 0 || this.#paused || this.#state !== 'running') return;
    this.#credit += more;
    this.#receiver.credit(more);
  }

  #wrap(error: unknown, context: string): MessagingError {
    return this.broker.wrap(error, context);
  }
}

/** What all members of a group must agree on. Grows by fields that matter to the group as a whole. */
function charterOf(topic: TopicDefinition, options: ResolvedSubscribeOptions): string {
  const { keyed, history } = topic.spec;
  return `startFrom=${options.startFrom};keyed=${keyed};history=${history}`;
}
