import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { OutgoingRecord, TopicSpec } from '../adapter/spi.js';
import { sleep, type Timer } from '../clock.js';
import { MessagingError } from '../errors.js';
import type { Cancellation } from '../producer/contract.js';
import { supports } from '../requirements.js';
import { type BareMessage, type DelayNote, type ParcelNote, pack } from '../system/parcel.js';
import type { System } from '../system/system.js';
import { type Decision, Decisions, unanswered } from './decisions.js';
import { Forwarder, type Held } from './forwarder.js';
import { Gate } from './gate.js';
import { LevelPolicy } from './level.js';
import { type DelayLines, delayLines, lineFor, NATIVE_LEAD_MS } from './lines.js';

/** The lane of lines: they have one. */
const LANE = 'line';
/** How often it is looked whether somebody else has begun to delay messages. */
const LOOK_MS = 1_000;
/** How long an answer about a cancellation is waited for. */
const ANSWER_MS = 30_000;
const NOTHING = new Uint8Array(0);
/** Between what is sent in one millisecond. */
const STAMP_MS = 1 / 1_024;

export interface DelaysSettings {
  readonly system: System;
  /** A message is due and could not be sent on. */
  readonly failed: (topic: string, id: string, error: unknown) => void;
}

/**
 * Messages that are due later, on one broker: kept in lines, which every process that uses delays, or consumes where somebody
 * does, helps to work through. A message is durable from the first write on; it may be stored twice in its topic after a crash.
 */
export class Delays {
  readonly #settings: DelaysSettings;
  readonly #lines: DelayLines;
  readonly #decisions: Decisions;
  readonly #stop = new AbortController();
  readonly #asked = new Map<string, (answer: Cancellation) => void>();
  #forwarders: readonly Forwarder[] = [];
  #starting: Promise<void> | undefined;
  #following: Promise<() => Promise<void>> | undefined;
  #look: Timer | undefined;
  #stamped = 0;

  constructor(settings: DelaysSettings) {
    const { system } = settings;
    this.#settings = settings;
    // Every cancellation under way listens.
    setMaxListeners(0, this.#stop.signal);
    this.#lines = delayLines(system.history, system.broker.configured.capabilities.rows.delay?.level === 'native');
    this.#decisions = new Decisions(system, this.#lines.decisions);
  }

  /** Of one send. */
  newToken(): string {
    return randomUUID();
  }

  /**
   * Where a message is to be written now, and as what.
   *
   * @param past what is due already: goes to its topic (`send`), or to the gate, where it may have been cancelled (`wait`)
   * @param now when it was to be written, where that is known: what was sent together goes one way, however late it is
   */
  place(
    message: BareMessage,
    note: ParcelNote,
    delay: Omit<DelayNote, 'enteredAt' | 'sentAt'> & Partial<Pick<DelayNote, 'sentAt'>>,
    past: 'send' | 'wait' = 'send',
    now = this.#settings.system.broker.runtime.clock.now(),
  ): { readonly spec: TopicSpec; readonly record: OutgoingRecord } {
    const leftMs = delay.deliverAt - now;
    if (leftMs <= 0 && past === 'send' && delay.asParcel)
      return { spec: delay.to, record: pack(delay.to, message, note, message.id) };
    const spec = lineFor(this.#lines, leftMs);
    const record = pack(
      spec,
      message,
      { ...note, delay: { sentAt: this.#stamp(now), ...delay, enteredAt: now } },
      // Only those of a key must keep their order on the way: others may be written at once.
      note.key ?? message.id,
    );
    const held = spec === this.#lines.native;
    return { spec, record: held ? { ...record, deliverAt: delay.deliverAt - NATIVE_LEAD_MS } : record };
  }

  /** Of what is due at one moment, what was sent first goes first: also where a broker gives it back in any order. */
  #stamp(now: number): number {
    this.#stamped = Math.max(now, this.#stamped + STAMP_MS);
    return this.#stamped;
  }

  /** Joins those who work through the lines, once. Resolves when the lines stand. */
  start(): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.reject(this.#stop.signal.reason);
    this.#look?.cancel();
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = undefined;
      // Whoever watches goes on watching.
      if (this.#look !== undefined) this.#lookLater();
      throw error;
    });
    return this.#starting;
  }

  /** From now on it is looked whether anybody delays messages on this broker: then this process helps. */
  watch(): void {
    if (!supports(this.#settings.system.broker.configured, 'delay')) return;
    if (this.#look !== undefined || this.#starting !== undefined || this.#stop.signal.aborted) return;
    this.#lookLater();
  }

  /** What became of the wish to cancel a send. */
  async cancel(token: string, deliverAt: number): Promise<Cancellation> {
    const { broker, post } = this.#settings.system;
    const { clock } = broker.runtime;
    await this.start();
    this.#following ??= this.#follow();
    await this.#following;
    const request = randomUUID();
    const { gate } = this.#lines;
    const { type, contentType } = gate;
    const message = { id: request, body: NOTHING, headers: undefined, time: clock.now() };
    const wish = pack(gate, message, { type, contentType, cancel: { token, request, deliverAt } }, LANE);
    const answer = new Promise<Cancellation>((resolve) => this.#asked.set(request, resolve));
    const limit = new AbortController();
    const late = sleep(clock, ANSWER_MS, AbortSignal.any([limit.signal, this.#stop.signal])).then(() => undefined);
    try {
      await post.send(gate, wish, { timeoutMs: ANSWER_MS, signal: this.#stop.signal });
      const known = await Promise.race([answer, late]);
      if (known === undefined) throw unanswered();
      return known;
    } finally {
      this.#asked.delete(request);
      limit.abort();
      await late.catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new MessagingError('CLOSED', 'The messaging was closed.'));
    this.#look?.cancel();
    // Closing them ends a start that waits for its broker.
    await Promise.all(this.#forwarders.map((forwarder) => forwarder.close()));
    await this.#starting?.catch(() => {});
    const unfollow = await this.#following?.catch(() => undefined);
    await unfollow?.();
  }

  async #start(): Promise<void> {
    const forwarders = this.#makeForwarders();
    this.#forwarders = forwarders;
    try {
      await Promise.all(forwarders.map((forwarder) => forwarder.open()));
    } catch (error) {
      await Promise.allSettled(forwarders.map((forwarder) => forwarder.close()));
      this.#forwarders = [];
      throw error;
    }
  }

  #makeForwarders(): Forwarder[] {
    const { broker, post } = this.#settings.system;
    const { clock, log } = broker.runtime;
    const { levels, native, gate } = this.#lines;
    const level = (spec: TopicSpec, dwellMs: number | undefined): Forwarder =>
      new Forwarder(broker, spec, new LevelPolicy({ dwellMs, delays: this, post, log, now: () => clock.now() }));
    return [
      ...levels.map(({ spec, dwellMs }) => level(spec, dwellMs)),
      ...(native === undefined ? [] : [level(native, undefined)]),
      new Forwarder(broker, gate, this.#gate()),
    ];
  }

  #gate(): Gate {
    const { system, failed } = this.#settings;
    const { broker, post } = system;
    const { clock, log } = broker.runtime;
    return new Gate({
      post,
      decisions: this.#decisions,
      ended: this.#stop.signal,
      log,
      now: () => clock.now(),
      sleep: (ms, signal) => sleep(clock, ms, signal),
      failed: ({ message, note }: Held, error) => failed(note.delay?.to.name ?? '', message.id, error),
    });
  }

  #follow(): Promise<() => Promise<void>> {
    const forget = (): void => {
      if (this.#following === following) this.#following = undefined;
    };
    const failed = (): void => {
      forget();
      void following.then((unfollow) => unfollow());
    };
    const see = ({ request, answer }: Decision): void => this.#asked.get(request)?.(answer);
    const following = this.#decisions.follow(see, failed, this.#stop.signal);
    following.catch(forget);
    return following;
  }

  #lookLater(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, random } = this.#settings.system.broker.runtime;
    this.#look = clock.setTimer(LOOK_MS * (0.75 + random() / 2), () => void this.#lookNow());
  }

  /** An error here is no more than "not known yet": whoever needs the broker hears of it elsewhere. */
  async #lookNow(): Promise<void> {
    const { adapter } = this.#settings.system.broker;
    const there = await adapter.exists(this.#lines.gate).catch(() => false);
    if (this.#stop.signal.aborted || this.#starting !== undefined) return;
    if (!there) return this.#lookLater();
    await this.start().catch((error) =>
      this.#settings.system.broker.runtime.log.warn('Delayed messages cannot be worked on yet.', { error }),
    );
  }
}
