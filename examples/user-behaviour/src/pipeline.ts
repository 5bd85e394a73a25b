import { randomUUID } from 'node:crypto';
import type { Consumer, Delivery, Messaging, Producer } from '@anymq/core';
import type { Archive } from './archive.js';
import { aborted, DemoError } from './errors.js';
import type { BehaviourEvent } from './event.js';
import { Funnel, type FunnelRow } from './funnel.js';
import type { Source, SourceItem } from './source.js';
import { Tally } from './tally.js';
import { userBehaviour } from './topics.js';
import { Window } from './window.js';

/** Sends that may be without their confirmation at once. */
const SENDS_UNDER_WAY = 2_000;
const BATCH_SIZE = 200;
const STALL_MS = 60_000;
/** Header with the place of a message in its session, counted from 0: what makes a broken order visible. */
/** Header: which run sent the message. */
const RUN = 'run';
const SEQUENCE = 'sequence';

/** What the run has come to. */
export interface Counts {
  readonly read: number;
  readonly invalid: number;
  readonly sent: number;
}

/** How far the run is. */
export interface Moment extends Counts {
  /** Handled by each group. */
  readonly funnel: number;
  readonly archive: number;
}

/** What a run did. */
export interface Result extends Counts {
  readonly groups: {
    readonly funnel: { readonly handled: number; readonly duplicates: number; readonly orderViolations: number };
    readonly archive: { readonly handled: number; readonly duplicates: number; readonly batches: number };
  };
  readonly funnel: readonly FunnelRow[];
  /** From the first read to the last message handled: without connecting and joining. */
  readonly seconds: number;
}

export interface PipelineOptions {
  readonly source: Source;
  /** Where the archive group writes. */
  readonly archive: Archive;
  /** A line of the input that is no event. */
  readonly onInvalid: (line: number, problem: string) => void;
  /** Called for every message: must be cheap. */
  readonly onProgress: (moment: Moment) => void;
  /** Stops reading; what was sent is handled to its end. */
  readonly signal: AbortSignal;
  /** A run in which nothing moves for so long has failed, milliseconds. @default 60_000 */
  readonly stallMs?: number;
}

/** The service: reads events, sends them keyed by session, and handles them in two groups. Knows nothing of the broker. */
export class Pipeline {
  readonly #messaging: Messaging;
  readonly #options: PipelineOptions;
  readonly #run = randomUUID();
  readonly #counts = { read: 0, invalid: 0, sent: 0 };
  readonly #funnel = new Funnel();
  readonly #tallies = { funnel: new Tally(), archive: new Tally() };
  readonly #sequences = new Map<string, number>();
  readonly #sends = new Window(SENDS_UNDER_WAY);
  readonly #failure = new AbortController();
  #batches = 0;
  #seconds = 0;
  #moved = 0;
  #done: (() => void) | undefined;

  constructor(messaging: Messaging, options: PipelineOptions) {
    this.#messaging = messaging;
    this.#options = options;
  }

  /**
   * Resolves when both groups have handled everything that was sent. Rejects with the `MessagingError` of a send or a
   * subscription, or with `DemoError`. Call it once.
   */
  async run(): Promise<Result> {
    const unlisten = this.#messaging.on((event) => {
      if (event.type === 'subscription-failed') this.#failure.abort(event.error);
    });
    try {
      await Promise.race([this.#work(), aborted(this.#failure.signal)]);
      this.#failure.signal.throwIfAborted();
    } finally {
      unlisten();
    }
    return this.#result();
  }

  async #work(): Promise<void> {
    const consumers = this.#subscribe();
    if (await this.#started(consumers)) {
      const begin = performance.now();
      await this.#sendAll(this.#messaging.producer());
      await this.#handledAll();
      this.#seconds = (performance.now() - begin) / 1_000;
    }
    await Promise.all(consumers.map((consumer) => consumer.close()));
  }

  #subscribe(): Consumer[] {
    const funnel = this.#messaging.consumer({ group: 'funnel' });
    funnel.subscribe(userBehaviour, (delivery) => this.#count(delivery));
    const archive = this.#messaging.consumer({ group: 'archive' });
    const batch = { size: BATCH_SIZE, maxWaitMs: 200 };
    archive.subscribe(userBehaviour, (deliveries) => this.#keep(deliveries), { batch });
    return [funnel, archive];
  }

  /** False when the person stopped it before. */
  async #started(consumers: readonly Consumer[]): Promise<boolean> {
    const { signal } = this.#options;
    try {
      await Promise.all(consumers.map((consumer) => consumer.start({ signal })));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return !signal.aborted;
  }

  async #sendAll(producer: Producer): Promise<void> {
    const stop = AbortSignal.any([this.#options.signal, this.#failure.signal]);
    // The input may be silent: stopping must not wait for its next line.
    const stopped = aborted(stop).catch(() => {});
    await Promise.race([this.#readAll(producer, stop), stopped]);
    await this.#sends.empty();
    await producer.close();
  }

  async #readAll(producer: Producer, stop: AbortSignal): Promise<void> {
    for await (const item of this.#options.source) {
      if (stop.aborted) return;
      this.#take(producer, item);
      if (this.#sends.full) await this.#sends.room();
    }
  }

  #take(producer: Producer, item: SourceItem): void {
    this.#counts.read += 1;
    if ('event' in item) {
      this.#send(producer, item.event);
      return;
    }
    this.#counts.invalid += 1;
    this.#options.onInvalid(item.line, item.problem);
  }

  #send(producer: Producer, event: BehaviourEvent): void {
    const sequence = this.#sequences.get(event.user_session) ?? 0;
    this.#sequences.set(event.user_session, sequence + 1);
    this.#sends.enter();
    producer.send(userBehaviour, event, { headers: { [RUN]: this.#run, [SEQUENCE]: String(sequence) } }).then(
      () => {
        this.#counts.sent += 1;
        this.#sends.leave();
        this.#progress();
      },
      (error) => {
        this.#failure.abort(error);
        this.#sends.leave();
      },
    );
  }

  /** What an earlier run left unhandled on the broker is acknowledged and ignored. */
  #isOurs({ headers }: Delivery<BehaviourEvent>): boolean {
    return headers[RUN] === this.#run;
  }

  #count(delivery: Delivery<BehaviourEvent>): void {
    if (!this.#isOurs(delivery)) return;
    if (this.#see('funnel', delivery)) this.#funnel.add(delivery.value);
    this.#progress();
  }

  async #keep(deliveries: readonly Delivery<BehaviourEvent>[]): Promise<void> {
    const ours = deliveries.filter((delivery) => this.#isOurs(delivery));
    if (ours.length === 0) return;
    this.#batches += 1;
    const fresh = ours.filter((delivery) => this.#see('archive', delivery));
    try {
      await this.#options.archive.append(fresh.map(({ value }) => value));
    } catch (error) {
      this.#failure.abort(error);
      throw error;
    }
    this.#progress();
  }

  #see(group: 'funnel' | 'archive', { id, value, headers }: Delivery<BehaviourEvent>): boolean {
    return this.#tallies[group].see(id, value.user_session, Number(headers[SEQUENCE]));
  }

  #progress(): void {
    this.#moved = performance.now();
    const { read, invalid, sent } = this.#counts;
    const { funnel, archive } = this.#tallies;
    this.#options.onProgress({ read, invalid, sent, funnel: funnel.handled, archive: archive.handled });
    if (this.#complete()) this.#done?.();
  }

  #complete(): boolean {
    const { funnel, archive } = this.#tallies;
    return funnel.handled >= this.#counts.sent && archive.handled >= this.#counts.sent;
  }

  /** Everything sent was handled by both groups, or the run has failed. */
  async #handledAll(): Promise<void> {
    const failure = this.#failure.signal;
    if (this.#complete() || failure.aborted) return;
    const stallMs = this.#options.stallMs ?? STALL_MS;
    const watch = setInterval(() => {
      if (performance.now() - this.#moved > stallMs) this.#failure.abort(this.#stalled(stallMs));
    }, stallMs / 60);
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    await Promise.race([done, aborted(failure).catch(() => {})]);
    clearInterval(watch);
  }

  #stalled(stallMs: number): DemoError {
    const { funnel, archive } = this.#tallies;
    return new DemoError(
      `Nothing has moved for ${stallMs / 1_000} s: of ${this.#counts.sent} messages sent, funnel has handled ${funnel.handled} and archive ${archive.handled}. Is the broker in good health?`,
    );
  }

  #result(): Result {
    const { funnel, archive } = this.#tallies;
    return {
      ...this.#counts,
      groups: {
        funnel: { handled: funnel.handled, duplicates: funnel.duplicates, orderViolations: funnel.orderViolations },
        archive: { handled: archive.handled, duplicates: archive.duplicates, batches: this.#batches },
      },
      funnel: this.#funnel.rows(),
      seconds: this.#seconds,
    };
  }
}
