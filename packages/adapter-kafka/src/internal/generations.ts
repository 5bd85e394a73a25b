import { type AdapterRuntime, sleep } from '@anymq/core/adapter';
import { classify, isExpelled, typeOf } from '../errors.js';
import type { ParsedOptions } from '../options.js';
import type { CommitLoop } from './commit-loop.js';
import type { Fetcher } from './fetcher.js';
import type { Leaders } from './leaders.js';
import type { Link } from './link.js';
import type { Member, Membership } from './member.js';
import { type Ending, Session } from './session.js';
import type { Share } from './share.js';
import type { Shares } from './shares.js';

/** Kept of the rebalance time-out for the join itself. */
const JOIN_MARGIN_MS = 1_000;
/** How often the member that shares the partitions out looks whether there are more of them. */
const GROWTH_MS = 60_000;
/** The group may change while this member joins; so often it follows at once. */
const JOIN_TRIES = 10;

export interface GenerationsSettings {
  readonly runtime: AdapterRuntime;
  readonly options: ParsedOptions;
  readonly topic: string;
  readonly link: Link;
  readonly leaders: Leaders;
  readonly member: Member;
  readonly shares: Shares;
  readonly commits: CommitLoop;
  readonly fetcher: Fetcher<Share>;
  /** It cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** From one generation of the group to the next, until ended. */
export class Generations {
  readonly #settings: GenerationsSettings;
  readonly #end = new AbortController();
  #session: Session | undefined;
  #living: Promise<void> = Promise.resolve();
  #grewAt: number;

  constructor(settings: GenerationsSettings) {
    this.#settings = settings;
    this.#grewAt = settings.runtime.clock.monotonic();
  }

  /** Joins, and stays from then on. One attempt. */
  async start(): Promise<void> {
    const membership = await this.#join();
    this.#living = this.#live(membership);
  }

  /** The group has gone on without this member. */
  expelled(): void {
    this.#session?.end();
  }

  /** No generation follows. What is to be stored and given back is the caller's. */
  end(): void {
    this.#end.abort();
    this.#session?.end();
  }

  /** Nobody else can own the partitions yet. */
  get alive(): boolean {
    return this.#session?.alive ?? true;
  }

  get ended(): Promise<void> {
    return this.#living;
  }

  async #live(first: Membership): Promise<void> {
    const { runtime, topic, failed } = this.#settings;
    let membership: Membership | undefined = first;
    while (membership !== undefined) {
      const ending = await this.#stay(membership);
      if (this.#end.signal.aborted) return;
      runtime.log.debug(`A generation of the group on '${topic}' ended.`, { ...ending });
      if (ending.kind === 'failed') return failed(ending.error);
      if (ending.kind === 'rebalance') await this.#giveUp(membership);
      else this.#lose(ending.kind === 'expelled' ? ending.error : undefined);
      membership = await this.#rejoin();
    }
  }

  async #stay(membership: Membership): Promise<Ending> {
    const ending = await this.#newSession(membership).stay();
    if (ending.kind === 'expelled' && typeOf(ending.error) === 'UNKNOWN_MEMBER_ID') this.#settings.member.forget();
    return ending;
  }

  #newSession(membership: Membership): Session {
    const { runtime, options, member } = this.#settings;
    this.#session = new Session({
      runtime,
      member,
      membership,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      sessionTimeoutMs: options.sessionTimeoutMs,
      silent: (error) => this.#silent(error),
      outdated: () => this.#outgrown(membership),
    });
    return this.#session;
  }

  /**
   * The barrier: Kafka waits for this member's join before anybody gets its partitions, so nothing overlaps and nothing is
   * repeated when the handlers have ended and what they did is stored before. Heartbeats go on meanwhile.
   */
  async #giveUp(membership: Membership): Promise<void> {
    const { runtime, options, shares, commits } = this.#settings;
    this.#freeze();
    const keeper = this.#newSession(membership);
    const late = new AbortController();
    void keeper.keep().then(() => late.abort());
    const { rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    const patience = Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - heartbeatIntervalMs - JOIN_MARGIN_MS);
    const timer = runtime.clock.setTimer(patience, () => late.abort());
    await Promise.race([Promise.all(shares.all.map((share) => share.source.drain())), aborted(late.signal)]);
    await commits.flush(late.signal);
    timer.cancel();
    keeper.end();
    // Closing stores and gives back by itself.
    if (!this.#end.signal.aborted) this.#lose(new Error('the other members of the group could not wait any longer'));
  }

  #lose(error: unknown): void {
    this.#settings.fetcher.disown();
    this.#settings.commits.end();
    this.#settings.shares.lose(error);
  }

  /** Others may own the partitions now. What is settled stays known: if nobody took over, it is stored before the rejoin. */
  #silent(error: unknown): void {
    this.#freeze();
    const reason = error ?? new Error('the broker was not reached for too long');
    for (const share of this.#settings.shares.all) share.source.lost(reason);
  }

  #freeze(): void {
    this.#settings.fetcher.disown();
    this.#settings.shares.freeze();
  }

  /** Undefined when it is not to go on. */
  async #rejoin(): Promise<Membership | undefined> {
    const { runtime, leaders, link, failed } = this.#settings;
    const backoff = runtime.backoff();
    while (!this.#end.signal.aborted) {
      try {
        return await this.#join();
      } catch (error) {
        if (this.#end.signal.aborted) return undefined;
        runtime.log.debug('Cannot join the group now.', { error });
        if (!classify(error).retryable) {
          failed(error);
          return undefined;
        }
        await sleep(runtime.clock, backoff.next(), this.#end.signal).catch(() => {});
        await leaders.refresh(link).catch(() => {});
      }
    }
    return undefined;
  }

  /** One attempt, and another at once where the group itself asks for it. */
  async #join(): Promise<Membership> {
    for (let tries = 1; ; tries++) {
      try {
        const membership = await this.#settings.member.join();
        await this.#begin(membership);
        return membership;
      } catch (error) {
        const again = isExpelled(error) || typeOf(error) === 'REBALANCE_IN_PROGRESS';
        if (!again || tries >= JOIN_TRIES || this.#end.signal.aborted) throw error;
      }
    }
  }

  async #begin(membership: Membership): Promise<void> {
    const { shares, commits, fetcher } = this.#settings;
    const owned = await shares.begin(membership.partitions, this.#end.signal);
    commits.begin(membership, owned);
    fetcher.own(owned);
  }

  /** The topic has more partitions than were shared out. Only one member looks, so that only one asks for a rebalance. */
  #outgrown({ leads, total }: Membership): boolean {
    const { runtime, leaders, link } = this.#settings;
    if (!leads) return false;
    if (runtime.clock.monotonic() - this.#grewAt > GROWTH_MS) {
      this.#grewAt = runtime.clock.monotonic();
      leaders.refresh(link).catch((error) => runtime.log.debug('Cannot look for new partitions.', { error }));
    }
    return leaders.count > total;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
