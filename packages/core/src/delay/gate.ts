import type { Ownership } from '../consumer/ownership.js';
import { codeOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Follower } from '../system/follower.js';
import { type CancelNote, type DelayNote, pack } from '../system/parcel.js';
import type { Post } from '../system/post.js';
import type { Decision, Decisions } from './decisions.js';
import type { Held, LinePolicy } from './forwarder.js';

/** One try to send a message on, resends included: longer than a slow broker needs for a whole window, or is away for. */
const SEND_MS = 120_000;
/** Between tries to read or write decisions. */
const RETRY_MS = 1_000;
/**
 * Decisions about what was due so long ago are not kept in memory. What is overdue by more comes but after an outage, or as a second
 * copy: then they are read again.
 */
const REMEMBER_MS = 3_600_000;
/** How often they are looked through at most. */
const SWEEP_MS = 600_000;

export interface GateSettings {
  readonly post: Post;
  readonly decisions: Pick<Decisions, 'past' | 'write'>;
  /** The end of all ownership. */
  readonly ended: AbortSignal;
  readonly log: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A message is due and could not be sent on; it is tried again. */
  readonly failed: (held: Held, error: unknown) => void;
}

interface Cancelled {
  readonly deliverAt: number;
  /** False: the decision could not be written, and is somebody else's now. */
  readonly written: Promise<boolean>;
}

const WRITTEN = Promise.resolve(true);

/**
 * The last line. One process at a time owns it, and gets what is due soon and the wishes to cancel in one order: what it says about
 * a cancellation is exact. A wish is granted while its message is not due, and is written down before anybody hears of it.
 */
export class Gate implements LinePolicy {
  readonly #settings: GateSettings;
  /** What was decided, by whomever: open from the first period of ownership on. */
  readonly #past: Follower;
  /** By token: what must not be sent on, or whose cancelling is being written down. */
  readonly #cancelled = new Map<string, Cancelled>();
  /** Whatever was due by then may have been sent on. Unlike the clock it never goes back. */
  #horizon = 0;
  /** Of what was due before, it is not known here what was cancelled. */
  #floor: number;
  #sweptAt: number;
  #recalling: Promise<boolean> | undefined;

  constructor(settings: GateSettings) {
    this.#settings = settings;
    this.#past = settings.decisions.past((decision) => this.#see(decision), settings.ended);
    this.#sweptAt = settings.now();
    this.#floor = this.#sweptAt - REMEMBER_MS;
  }

  dueAt({ note }: Held): number | undefined {
    return note.delay?.deliverAt;
  }

  /** Learns what the owner before has decided. What it wrote stands before our marker: it had written it before anybody heard of it. */
  async begin(source: Ownership, signal: AbortSignal): Promise<void> {
    await this.#learn({ source, signal });
  }

  leave(held: Held): Promise<boolean> {
    const { delay, cancel } = held.note;
    const deliverAt = (delay ?? cancel)?.deliverAt;
    if (deliverAt === undefined) return WRITTEN;
    if (deliverAt >= this.#floor && this.#recalling === undefined) return this.#decideOrSend(held);
    return this.#recall(held).then((known) => known && this.#decideOrSend(held));
  }

  close(): Promise<void> {
    return this.#past.close();
  }

  #decideOrSend(held: Held): Promise<boolean> {
    const { delay, cancel } = held.note;
    if (cancel !== undefined) return this.#decide(held, cancel);
    return delay === undefined ? WRITTEN : this.#send(held, delay);
  }

  /** Added to what is known, never in its place: another source of ours may be deciding meanwhile. */
  #see({ token, answer, deliverAt }: Decision): void {
    // Whoever said so may have had a clock that was ahead.
    if (answer === 'too-late') this.#horizon = Math.max(this.#horizon, deliverAt);
    else if (deliverAt >= this.#floor) this.#remember(token, { deliverAt, written: WRITTEN });
  }

  #learn(held: Pick<Held, 'source' | 'signal'>): Promise<boolean> {
    return this.#repeat(
      held,
      () => this.#past.catchUp(held.signal).catch(unlessMissing),
      (error) => this.#settings.log.warn('What was cancelled cannot be read yet: delayed messages wait.', { error }),
    );
  }

  /** Everything from the beginning, once for all that is overdue; whatever comes meanwhile keeps its place behind it. */
  #recall(held: Held): Promise<boolean> {
    this.#recalling ??= this.#reread(held).finally(() => {
      this.#recalling = undefined;
    });
    return this.#recalling;
  }

  async #reread(held: Held): Promise<boolean> {
    const before = this.#floor;
    this.#floor = Number.NEGATIVE_INFINITY;
    this.#sweptAt = this.#settings.now();
    await this.#past.close();
    const known = await this.#learn(held);
    if (!known) this.#floor = before;
    return known;
  }

  async #send(held: Held, { token, deliverAt, to, asParcel }: DelayNote): Promise<boolean> {
    const cancelled = this.#cancelled.get(token);
    if (cancelled !== undefined) return cancelled.written;
    this.#horizon = Math.max(this.#horizon, deliverAt);
    const { post, failed } = this.#settings;
    const { message, note, signal } = held;
    const { delay: _, ...rest } = note;
    const { key, type, contentType } = rest;
    const record = asParcel ? pack(to, message, rest, message.id) : { ...message, key, type, contentType };
    try {
      await post.send(to, record, { timeoutMs: SEND_MS, signal });
      return true;
    } catch (error) {
      if (!signal.aborted) failed(held, error);
      return false;
    }
  }

  async #decide(held: Held, wish: CancelNote): Promise<boolean> {
    const { token, deliverAt } = wish;
    const before = this.#cancelled.get(token);
    if (before === undefined && deliverAt <= Math.max(this.#horizon, this.#settings.now()))
      return this.#write(held, { ...wish, answer: 'too-late' });
    const written = this.#write(held, { ...wish, answer: 'cancelled' });
    if (before === undefined) this.#cancelling(token, { deliverAt, written });
    return written;
  }

  /** Not less than written: somebody may have read a decision whose confirmation was lost. */
  async #write(held: Held, decision: Decision): Promise<boolean> {
    const { decisions, log } = this.#settings;
    return this.#repeat(
      held,
      () => decisions.write(decision, held.signal),
      (error) => log.warn('A decision about a delayed message cannot be written down yet.', { error }),
    );
  }

  /** Until it succeeds, or is somebody else's. */
  async #repeat(
    { source, signal }: Pick<Held, 'source' | 'signal'>,
    attempt: () => Promise<void>,
    failed: (error: unknown) => void,
  ): Promise<boolean> {
    const { sleep } = this.#settings;
    while (source.settles && !signal.aborted) {
      try {
        await attempt();
        return true;
      } catch (error) {
        if (!signal.aborted) failed(error);
        await sleep(RETRY_MS, signal).catch(() => {});
      }
    }
    return false;
  }

  #cancelling(token: string, cancelled: Cancelled): void {
    this.#remember(token, cancelled);
    // Somebody else decides: what they say is read before anything of that source goes on here.
    void cancelled.written.then((mine) => {
      if (!mine && this.#cancelled.get(token) === cancelled) this.#cancelled.delete(token);
    });
  }

  #remember(token: string, cancelled: Cancelled): void {
    this.#cancelled.set(token, cancelled);
    const now = this.#settings.now();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    this.#floor = Math.max(this.#floor, now - REMEMBER_MS);
    for (const [known, { deliverAt }] of this.#cancelled) if (deliverAt < this.#floor) this.#cancelled.delete(known);
  }
}

/** Where nobody may create topics, nobody can have cancelled anything before somebody has created this one. */
function unlessMissing(error: unknown): void {
  if (codeOf(error) !== 'NOT_FOUND') throw error;
}
