import { setMaxListeners } from 'node:events';
import type { IncomingRecord, TopicSpec } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import { type Clock, sleep } from '../clock.js';
import { Credit } from '../consumer/credit.js';
import { DueQueue } from '../consumer/due-queue.js';
import { Intake } from '../consumer/intake.js';
import type { Ownership } from '../consumer/ownership.js';
import { ownReceiverSpec } from '../consumer/receiver-spec.js';
import { MessagingError } from '../errors.js';
import { type BareMessage, type ParcelNote, passOver, unpack } from '../system/parcel.js';
import { SYSTEM_GROUP } from '../system/topics.js';

/** What a forwarder holds at once: bounds its memory, whatever waits in its line. */
const WINDOW = 5_000;
const WINDOW_BYTES = 64 * 1024 * 1024;
/** What cannot be sent on does not use up the window, up to so many, and is tried again after so long, milliseconds. */
const MAX_STUCK = 10_000;
const STUCK_MS = 5_000;
/** How often it is looked at the wall clock at least, milliseconds: somebody may have set it. */
const LOOK_MS = 1_000;
/** What is on its way when the forwarder is closed gets so long to arrive, milliseconds. */
const DRAIN_MS = 5_000;

/** One record of a line, in the hands of its forwarder. */
export interface Held {
  readonly record: IncomingRecord;
  readonly source: Ownership;
  readonly message: BareMessage;
  readonly note: ParcelNote;
  /** Its owner is another one now, or closes: what is done for it ends. */
  readonly signal: AbortSignal;
}

/** What is special about a line. */
export interface LinePolicy {
  /** When it may leave, milliseconds since the Unix epoch; undefined: it waits for nothing. */
  dueAt(held: Held, now: number): number | undefined;
  /** Its time has come. Resolves with true when it is done with; with false it comes again. Never rejects. */
  leave(held: Held): Promise<boolean>;
  /** A period of ownership begins: nothing is looked at before this resolves. Never rejects. */
  begin?(source: Ownership, signal: AbortSignal): Promise<void>;
  /** Nothing comes any more. */
  close?(): Promise<void>;
}

/** A period of ownership of the line. */
interface Reign {
  readonly signal: AbortSignal;
  /** Until it may be worked on. */
  begun: Promise<void> | undefined;
}

/** Works through one line of delayed messages: holds its head in memory until it may leave. One process at a time has a line. */
export class Forwarder {
  readonly #broker: Broker;
  readonly #spec: TopicSpec;
  readonly #policy: LinePolicy;
  readonly #intake: Intake;
  /** By the wall clock. */
  readonly #waiting: DueQueue<Held>;
  readonly #reigns = new WeakMap<Ownership, Reign>();
  /** Takes up nothing any more. */
  readonly #stop = new AbortController();
  /** Ends what is on its way. */
  readonly #abandon = new AbortController();
  /** What could not go on. */
  readonly #stuck: DueQueue<Held>;
  #stuckCount = 0;
  #leaving = 0;
  #idle: (() => void) | undefined;
  #releasing = false;

  constructor(broker: Broker, spec: TopicSpec, policy: LinePolicy) {
    const { clock } = broker.runtime;
    this.#broker = broker;
    this.#spec = spec;
    this.#policy = policy;
    this.#waiting = new DueQueue(wall(clock), (due) => {
      for (const held of due) void this.#leave(held);
    });
    this.#stuck = new DueQueue(clock, (due) => {
      this.#stuckCount -= due.length;
      this.#rewait(due);
    });
    this.#intake = this.#makeIntake();
  }

  open(): Promise<void> {
    return this.#intake.open(`work on '${this.#spec.name}'`, this.#stop.signal);
  }

  /** What is on its way arrives and is settled; what waits is the next owner's. */
  async close(): Promise<void> {
    const closed = new MessagingError('CLOSED', 'The messaging was closed.');
    this.#stop.abort(closed);
    this.#waiting.stop();
    this.#stuck.stop();
    await this.#drained();
    this.#abandon.abort(closed);
    await this.#intake.close();
    await this.#policy.close?.();
  }

  async #drained(): Promise<void> {
    if (this.#leaving === 0) return;
    const drained = new AbortController();
    this.#idle = () => drained.abort();
    await sleep(this.#broker.runtime.clock, DRAIN_MS, drained.signal).catch(() => {});
  }

  #makeIntake(): Intake {
    const bounds = { maxInFlight: WINDOW + MAX_STUCK, maxInFlightBytes: WINDOW_BYTES };
    return new Intake({
      broker: this.#broker,
      spec: () => ownReceiverSpec(this.#spec, SYSTEM_GROUP, bounds),
      credit: new Credit({ maxInFlight: WINDOW, maxInFlightBytes: WINDOW_BYTES, maxHeld: MAX_STUCK }),
      held: () => this.#stuckCount,
      mayGrant: () => !this.#stop.signal.aborted,
      owned: (source) => this.#begin(source),
      deliver: (records) => this.#deliver(records),
      left: (source) => this.#left(source),
      failed: (error) => this.#failed(error),
    });
  }

  #begin(source: Ownership): void {
    const signal = AbortSignal.any([source.watch().signal, this.#abandon.signal]);
    // Everything on its way listens.
    setMaxListeners(0, signal);
    const begun = this.#policy.begin?.(source, signal);
    const reign: Reign = { signal, begun };
    this.#reigns.set(source, reign);
    void begun?.then(() => {
      reign.begun = undefined;
    });
  }

  #deliver(records: readonly IncomingRecord[]): void {
    for (const record of records) {
      const reign = this.#reigns.get(record.source as Ownership);
      if (reign === undefined) this.#intake.dropped(record);
      else if (reign.begun === undefined) this.#take(record, reign);
      else void reign.begun.then(() => this.#take(record, reign));
    }
  }

  #take(record: IncomingRecord, { signal }: Reign): void {
    const source = record.source as Ownership;
    const parcel = unpack(record);
    if (!source.owned || this.#stop.signal.aborted) this.#intake.dropped(record);
    else if (parcel === undefined) this.#passOver(record);
    else this.#wait({ record, source, ...parcel, signal });
  }

  #passOver(record: IncomingRecord): void {
    passOver(this.#broker.runtime.log, this.#spec, record);
    this.#intake.done(record);
  }

  /** Also what is due already: on a busy machine something that is due earlier may still be waiting for its timer. */
  #wait(held: Held): void {
    const now = this.#broker.runtime.clock.now();
    const dueAt = this.#policy.dueAt(held, now) ?? now;
    this.#waiting.add(held, dueAt, held.note.delay?.sentAt);
    if (dueAt <= now) this.#releaseSoon();
  }

  /** Once for all that came together. */
  #releaseSoon(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    queueMicrotask(() => {
      this.#releasing = false;
      if (!this.#stop.signal.aborted) this.#waiting.releaseDue();
    });
  }

  #rewait(all: readonly Held[]): void {
    for (const held of all) this.#wait(held);
  }

  async #leave(held: Held): Promise<void> {
    const { source, record } = held;
    // As after the process stood still: the next owner may have decided otherwise.
    if (!source.owned) return this.#intake.dropped(record);
    source.begin();
    this.#leaving += 1;
    const done = await this.#policy.leave(held);
    if (done && source.settles) this.#intake.done(record);
    else if (source.owned && !this.#stop.signal.aborted) this.#again(held);
    else this.#intake.dropped(record);
    source.end();
    this.#leaving -= 1;
    if (this.#leaving === 0) this.#idle?.();
  }

  /** It could not go on: it is tried again, and others pass. */
  #again(held: Held): void {
    this.#stuckCount += 1;
    this.#intake.flushSoon();
    this.#stuck.add(held, this.#broker.runtime.clock.monotonic() + STUCK_MS);
  }

  #left(source: Ownership): void {
    const mine = (held: Held): boolean => held.source === source;
    const stuck = this.#stuck.discard(mine);
    this.#stuckCount -= stuck.length;
    for (const { record } of [...this.#waiting.discard(mine), ...stuck]) this.#intake.dropped(record);
  }

  #failed(error: unknown): void {
    this.#broker.runtime.log.error(`Delayed messages of '${this.#spec.name}' cannot be worked on here any more.`, {
      error,
    });
  }
}

/**
 * A clock whose monotonic time is the wall's: what is due at one moment is due at one moment, to the millisecond. No timer runs for
 * long: when the wall clock was set, everything is due at another time of theirs.
 */
function wall(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.now(),
    setTimer: (delayMs, run) => clock.setTimer(Math.min(delayMs, LOOK_MS), run),
  };
}
