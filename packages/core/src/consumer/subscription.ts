import type { IncomingRecord } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import { MessagingError } from '../errors.js';
import type { BatchHandler, Handler } from '../message.js';
import type { System } from '../system/system.js';
import type { TopicDefinition } from '../topic.js';
import type { Subscription, SubscriptionState } from './contract.js';
import { Credit } from './credit.js';
import { type Departure, Departures } from './departures.js';
import { Dispatcher, type DispatcherSink } from './dispatcher.js';
import { FailurePolicy } from './failure.js';
import { Inbox } from './inbox.js';
import type { Intake } from './intake.js';
import { MainIntake } from './main-intake.js';
import type { ResolvedSubscribeOptions } from './options.js';
import { ParcelRecord } from './parcel-record.js';
import { callsOf, lettersOf } from './parts.js';
import { receiverSpec } from './receiver-spec.js';
import { Releases } from './releases.js';
import type { Work } from './work.js';

export interface SubscriptionSettings {
  readonly topic: TopicDefinition;
  readonly group: string;
  /** Every consumer is a group of its own. */
  readonly broadcast: boolean;
  readonly handler: Handler<unknown> | BatchHandler<unknown>;
  readonly options: ResolvedSubscribeOptions;
  /** Of the topic's broker. */
  readonly system: System;
  /** Of the broker where letters go, where there are any. */
  readonly letterSystem: System | undefined;
  readonly handlerFailed: (work: Work, error: unknown) => void;
  readonly duplicateSuppressed: (work: Work) => void;
  readonly deduplicationFailed: (work: Work, error: unknown) => void;
  readonly gaveUp: (work: Work, error: unknown, to: string | undefined) => void;
  readonly departureFailed: (work: Work, what: Departure, error: unknown) => void;
  readonly subscriptionFailed: (error: MessagingError) => void;
}

/** One topic received for one group: its main intake and its inbox feed one dispatcher. */
export class CoreSubscription implements Subscription {
  readonly #settings: SubscriptionSettings;
  readonly #dispatcher: Dispatcher;
  readonly #departures: Departures;
  readonly #credit: Credit;
  readonly #main: MainIntake;
  /** What comes for this group alone. */
  readonly #inbox: Inbox | undefined;
  #state: Exclude<SubscriptionState, 'paused'> = 'idle';
  #paused = false;
  #starting: Promise<void> | undefined;
  /** Ends a start that waits for its broker. */
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(settings: SubscriptionSettings) {
    this.#settings = settings;
    const { options, topic, system } = settings;
    const { clock, random, log, backoff } = system.broker.runtime;
    const { maxInFlight, maxInFlightBytes, failure } = options;
    const heldTooMuch = (held: number): void => log.warn(this.#stalling(held));
    this.#credit = new Credit({ maxInFlight, maxInFlightBytes, maxHeld: failure.maxHeld, heldTooMuch });
    this.#main = this.#makeMain();
    this.#inbox = this.#makeInbox();
    this.#departures = new Departures({ clock, backoff, failed: settings.departureFailed });
    this.#dispatcher = new Dispatcher({
      options,
      keyed: topic.spec.keyed,
      calls: callsOf(settings, (work) => this.#dispatcher.mayStart(work)),
      policy: new FailurePolicy(failure, random, log),
      letters: lettersOf(settings),
      releases: failure.whileRetrying === 'release' ? new Releases(system, topic, settings.group) : undefined,
      departures: this.#departures,
      clock,
      sink: this.#sink(),
    });
  }

  get topic(): string {
    return this.#settings.topic.spec.name;
  }

  get group(): string {
    return this.#settings.group;
  }

  get broker(): Broker {
    return this.#settings.system.broker;
  }

  get state(): SubscriptionState {
    return this.#state === 'running' && this.#paused ? 'paused' : this.#state;
  }

  get inFlight(): number {
    return this.#credit.inFlight + (this.#inbox?.inFlight ?? 0);
  }

  get inFlightBytes(): number {
    return this.#credit.inFlightBytes + (this.#inbox?.inFlightBytes ?? 0);
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
    if (!this.#main.intake.opened)
      throw new MessagingError('UNAVAILABLE', `The subscription of '${this.topic}' has not started.`);
    try {
      const [main, inbox] = await Promise.all([this.#main.intake.lag(), this.#inbox?.lag() ?? 0]);
      return main + inbox;
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

  #makeMain(): MainIntake {
    const { topic, group, broadcast, options, system } = this.#settings;
    const { broker } = system;
    return new MainIntake({
      broker,
      what: this.#joining,
      ended: this.#ended,
      signal: this.#stop.signal,
      spec: () => receiverSpec(topic, { name: group, broadcast }, options, broker.runtime.random),
      credit: this.#credit,
      held: () => this.#dispatcher.held,
      mayGrant: () => this.#mayGrant(),
      deliver: (records) => this.#deliver(records),
      left: (source) => this.#dispatcher.discard(source),
      failed: (error) => this.#receiverFailed(error),
      gone: (error) => this.#topicGone(error),
      back: () => this.#run(),
    });
  }

  #stalling(held: number): string {
    return (
      `${held} messages of topic '${this.topic}' wait in group '${this.group}' for a retry or behind one, more than ` +
      "retry.maxHeld: they use up maxInFlight now. Where it is not the work that fails, but one message, shorten its retries or use whileRetrying: 'release'."
    );
  }

  get #joining(): string {
    return `join group '${this.group}' on topic '${this.topic}'`;
  }

  get #ended(): string {
    return `Group '${this.group}' cannot receive topic '${this.topic}' any more`;
  }

  /** Broadcast consumers have none: nobody would know their group. */
  #makeInbox(): Inbox | undefined {
    const { topic, group, broadcast, options, system } = this.#settings;
    const { whileRetrying, deadLetter } = options.failure;
    if (broadcast || (whileRetrying !== 'release' && deadLetter !== 'kept')) return undefined;
    return new Inbox({
      system,
      topic: topic.spec.name,
      group,
      wanted: whileRetrying === 'release',
      shares: options,
      mayGrant: () => this.#mayGrant(),
      opened: (records) => this.#credit.lend(records),
      deliver: (records) => this.#dispatcher.add(records),
      left: (source) => this.#dispatcher.discard(source),
      failed: (error) => this.#receiverFailed(error),
    });
  }

  #mayGrant(): boolean {
    return !this.#paused && this.#state === 'running';
  }

  /** Where a record came by. */
  #intakeOf(record: IncomingRecord): Intake {
    return (record instanceof ParcelRecord ? this.#inbox?.intake : undefined) ?? this.#main.intake;
  }

  #sink(): DispatcherSink {
    const { deduplicationFailed, gaveUp } = this.#settings;
    return {
      done: (work) => this.#done(work),
      failed: (work, error) => this.#failed(work, error),
      held: (work) => this.#held(work),
      postponed: (work, error) => deduplicationFailed(work, error),
      gaveUp: (work, error, to) => gaveUp(work, error, to),
      dropped: (works) => this.#dropped(works),
    };
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    try {
      await this.#main.open();
      await this.#inbox?.open(this.#stop.signal);
    } catch (error) {
      throw this.#wrap(error, `Cannot ${this.#joining}`);
    }
    this.#run();
    this.#settings.system.delays.watch();
  }

  #run(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'running';
    this.#flushSoon();
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#state = 'closed';
    const stopped = this.#dispatcher.stop();
    this.#stop.abort(new MessagingError('CLOSED', `The consumer of group '${this.group}' was closed.`));
    await this.#starting?.catch(() => {});
    await this.#drained(stopped, drainTimeoutMs);
    const intakes = this.#intakes();
    for (const intake of intakes) intake.flush();
    // What still runs has lost its time: it is told, and nothing it does counts any more.
    const late = new MessagingError(
      'ABORTED',
      `The consumer was closed and the handler did not end within ${drainTimeoutMs} ms.`,
    );
    for (const intake of intakes) intake.abort(late);
    this.#departures.close();
    await Promise.all([this.#main.close(), this.#inbox?.close()]);
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

  #intakes(): readonly Intake[] {
    const inbox = this.#inbox?.intake;
    const main = this.#main.intake;
    return inbox === undefined ? [main] : [main, inbox];
  }

  #deliver(records: readonly IncomingRecord[]): void {
    this.#dispatcher.add(records);
    // What came for a key that waits makes room for another.
    if (this.#dispatcher.held > 0) this.#main.intake.flushSoon();
  }

  /** It is waited for: whoever deleted it may make it again. */
  #topicGone(error: MessagingError): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = 'starting';
    this.#settings.subscriptionFailed(error);
  }

  #receiverFailed(error: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = 'failed';
    const failure = this.#wrap(error, this.#ended);
    this.#settings.subscriptionFailed(failure);
    for (const intake of this.#intakes()) intake.lost(failure);
    Promise.all([this.#main.close(), this.#inbox?.close()]).catch((late) =>
      this.broker.runtime.log.warn('A failed receiver did not close.', { error: late }),
    );
  }

  #failed(work: Work, error: unknown): void {
    this.#settings.handlerFailed(work, error);
    this.#main.intake.flushSoon();
  }

  #held(work: Work): void {
    this.#intakeOf(work.record).hold(received(work.record), work.attempts);
  }

  #done(work: Work): void {
    this.#intakeOf(work.record).done(received(work.record));
  }

  #dropped(works: readonly Work[]): void {
    for (const { record } of works) this.#intakeOf(record).dropped(received(record));
  }

  #flushSoon(): void {
    for (const intake of this.#intakes()) intake.flushSoon();
  }

  #wrap(error: unknown, context: string): MessagingError {
    return this.broker.wrap(error, context);
  }
}

/** As what a record came to its intake. */
const received = (record: IncomingRecord): IncomingRecord => (record instanceof ParcelRecord ? record.carrier : record);
