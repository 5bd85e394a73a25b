import { type AdapterRuntime, HANDOVER_MS, sleep, type Timer } from '@anymq/core/adapter';
import { classify, isExpelled, typeOf } from '../errors.js';
import type { Member, Membership } from './member.js';

/** Why a stay in the group ended. */
export type Ending =
  /** The members are to join again: somebody came or went. */
  | { readonly kind: 'rebalance' }
  /** The group went on without this member. */
  | { readonly kind: 'expelled'; readonly error: unknown }
  /** It cannot stay without a change by somebody. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** By our own will. */
  | { readonly kind: 'ended' };

export interface SessionSettings {
  readonly runtime: AdapterRuntime;
  readonly member: Member;
  readonly membership: Membership;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  /** The broker was not reached for so long that it may have given the partitions to others. */
  readonly silent: (error: unknown) => void;
  /** Asked before each heartbeat: the members should share out again. */
  readonly outdated: () => boolean;
}

/** Heartbeats, beside everything else: nothing that handlers or fetches do holds them up. */
export class Session {
  readonly #settings: SessionSettings;
  readonly #end = new AbortController();
  #deadline: Timer | undefined;
  #silent = false;
  /** Until then nobody else can own what this member does; undefined while that is not known, or no question. */
  #until: number | undefined;
  #lastError: unknown;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  /** The broker cannot have given the partitions to others: known without waiting for a timer, which comes late when the process stood still. */
  get alive(): boolean {
    return this.#until === undefined || this.#settings.runtime.clock.monotonic() < this.#until;
  }

  /** Until something ends it. */
  async stay(): Promise<Ending> {
    this.#reached();
    try {
      for (;;) {
        if (!(await this.#wait())) return { kind: 'ended' };
        if (this.#settings.outdated()) return { kind: 'rebalance' };
        const ending = await this.#beat();
        if (ending !== undefined) return ending;
      }
    } finally {
      this.#deadline?.cancel();
      this.#until = undefined;
    }
  }

  /** Keeps the membership while this member prepares to join again; resolves early only when that has become pointless. */
  async keep(): Promise<Ending> {
    for (;;) {
      if (!(await this.#wait())) return { kind: 'ended' };
      const ending = await this.#beat();
      if (ending !== undefined && ending.kind !== 'rebalance') return ending;
    }
  }

  end(): void {
    this.#end.abort();
    this.#deadline?.cancel();
    this.#until = undefined;
  }

  async #wait(): Promise<boolean> {
    await sleep(this.#settings.runtime.clock, this.#settings.heartbeatIntervalMs, this.#end.signal).catch(() => {});
    return !this.#end.signal.aborted;
  }

  async #beat(): Promise<Ending | undefined> {
    const { member, membership, runtime } = this.#settings;
    const sent = runtime.clock.monotonic();
    try {
      await member.heartbeat(membership);
      this.#reached(sent);
      // Nobody took over while the broker could not be reached; but what ran was told to stop, so begin anew.
      return this.#silent ? { kind: 'rebalance' } : undefined;
    } catch (error) {
      return this.#failed(error, sent);
    }
  }

  #failed(error: unknown, sent: number): Ending | undefined {
    if (this.#end.signal.aborted) return { kind: 'ended' };
    if (typeOf(error) === 'REBALANCE_IN_PROGRESS') {
      this.#reached(sent);
      return { kind: 'rebalance' };
    }
    if (isExpelled(error)) return { kind: 'expelled', error };
    if (classify(error).code === 'UNAUTHORISED') return { kind: 'failed', error };
    this.#lastError = error;
    this.#settings.runtime.log.debug('A heartbeat was not answered.', { error });
    return undefined;
  }

  /** The broker counts from when it got the heartbeat; we count from when we sent it, and leave handlers time to end. */
  #reached(sent = this.#settings.runtime.clock.monotonic()): void {
    const { runtime, sessionTimeoutMs } = this.#settings;
    this.#deadline?.cancel();
    if (this.#end.signal.aborted) return;
    // Who asked meanwhile was told that it is over, and has dropped messages: it must not live on without them.
    if (!this.alive) this.#fallSilent();
    this.#until = sent + sessionTimeoutMs - HANDOVER_MS;
    const remaining = Math.max(0, this.#until - runtime.clock.monotonic());
    this.#deadline = runtime.clock.setTimer(remaining, () => this.#fallSilent());
  }

  #fallSilent(): void {
    this.#silent = true;
    this.#settings.silent(this.#lastError);
  }
}
