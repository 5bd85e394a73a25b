import {
  type AdapterRuntime,
  type IncomingRecord,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  sleep,
} from '@anymq/core/adapter';
import type { Client, Link } from './client.js';
import { checkBroker } from './client.js';
import { classify, isExpelled, KafkaFault, typeOf } from './errors.js';
import { settledWithin } from './internal/bounded.js';
import { CommitLoop } from './internal/commit-loop.js';
import { type CommitNote, nothingAbove } from './internal/commit-note.js';
import { Coordinator } from './internal/coordinator.js';
import { Fetcher } from './internal/fetcher.js';
import { GroupStore } from './internal/group-store.js';
import { Leaders } from './internal/leaders.js';
import { logOffsets } from './internal/log-offsets.js';
import { Member, type Membership } from './internal/member.js';
import type { Progress } from './internal/offset-tracker.js';
import { type Ending, Session } from './internal/session.js';
import { type KafkaRecord, Share } from './internal/share.js';
import { groupId } from './names.js';
import type { ParsedOptions } from './options.js';

/** How long closing tries to store what was settled, and to leave. */
const FLUSH_MS = 5_000;
const LEAVE_MS = 2_000;
/** Kept of the rebalance time-out for the join itself. */
const JOIN_MARGIN_MS = 1_000;
/** How often the member that shares the partitions out looks whether there are more of them. */
const GROWTH_MS = 60_000;

export interface ReceiverSettings {
  readonly runtime: AdapterRuntime;
  readonly options: ParsedOptions;
  readonly client: Client;
  readonly spec: ReceiverSpec;
  readonly sink: ReceiverSink;
  /** Of the topic on the broker. */
  readonly topic: string;
  /** Open ones, to be closed with the adapter. */
  readonly open: Set<KafkaReceiver>;
}

/** One member of a Kafka group, with connections of its own: joins and fetches occupy them. */
export class KafkaReceiver implements Receiver {
  readonly #settings: ReceiverSettings;
  readonly #link: Link;
  readonly #leaders: Leaders;
  readonly #store: GroupStore;
  readonly #member: Member;
  readonly #commits: CommitLoop;
  readonly #fetcher: Fetcher;
  readonly #end = new AbortController();
  #shares: readonly Share[] = [];
  #session: Session | undefined;
  #living: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #credit = 0;
  /** Whose turn is first. */
  #first = 0;
  #failed = false;
  #grewAt: number;

  /** Joined, with its positions fixed. */
  static async open(settings: ReceiverSettings): Promise<KafkaReceiver> {
    const receiver = new KafkaReceiver(settings);
    settings.open.add(receiver);
    try {
      await receiver.#open();
      return receiver;
    } catch (error) {
      await receiver.close();
      throw error;
    }
  }

  private constructor(settings: ReceiverSettings) {
    const { runtime, options, client, spec, topic } = settings;
    this.#settings = settings;
    this.#link = client.link();
    this.#leaders = new Leaders(topic);
    const id = groupId(runtime.namespace, spec.group, spec.topic.name);
    const coordinator = new Coordinator(this.#link, id);
    const { charter, startFrom } = spec;
    const shared = { groupId: id, topic, link: this.#link, coordinator, leaders: this.#leaders };
    this.#store = new GroupStore({ ...shared, charter, startFrom });
    this.#member = new Member({ ...shared, options, protocol: client.protocol, openLink: () => client.link() });
    this.#commits = new CommitLoop({ runtime, store: this.#store, topic, expelled: () => this.#session?.end() });
    this.#fetcher = new Fetcher({
      runtime,
      options,
      topic,
      link: this.#link,
      leaders: this.#leaders,
      fetched: () => this.#pump(),
      outOfRange: (share) => this.#outOfRange(share),
      failed: (error) => this.#fail(error),
    });
    this.#grewAt = runtime.clock.monotonic();
  }

  credit(records: number): void {
    this.#credit += records;
    this.#pump();
  }

  settle(records: readonly IncomingRecord[]): void {
    for (const { share, offset } of records as readonly KafkaRecord[]) share.finish(offset);
    this.#commits.soon();
    this.#pump();
  }

  hold(record: IncomingRecord, attempts: number): void {
    const { share, offset } = record as KafkaRecord;
    share.hold(offset, attempts);
    this.#commits.soon();
  }

  async lag(): Promise<number> {
    const { topic } = this.#settings;
    const notes = await this.#store.read();
    const ends = await logOffsets(this.#link, this.#leaders, topic, 'latest', this.#leaders.partitions);
    let lag = 0;
    for (const [partition, end] of ends) {
      const own = this.#shares.find((share) => share.partition === partition && !share.over);
      lag += own?.unfinished(end) ?? unfinishedBy(notes.get(partition), end);
    }
    return lag;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    await this.#leaders.refresh(this.#link);
    checkBroker(await this.#link.anyBroker());
    await this.#store.found();
    const membership = await this.#join();
    this.#living = this.#live(membership);
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#settings.runtime;
    this.#end.abort();
    this.#fetcher.stop();
    this.#session?.end();
    const late = new AbortController();
    const timer = clock.setTimer(FLUSH_MS, () => late.abort());
    await settledWithin(clock, this.#commits.flush(late.signal), FLUSH_MS + LEAVE_MS);
    timer.cancel();
    this.#commits.end();
    for (const share of this.#shares) share.end();
    const left = this.#member.leave().catch((error) => log.debug('Could not leave the group.', { error }));
    await settledWithin(clock, left, LEAVE_MS);
    // Nothing is under way but fetches, whose answers nobody wants.
    await this.#link.abort('the receiver was closed');
    await settledWithin(clock, this.#living ?? Promise.resolve(), LEAVE_MS);
    this.#settings.open.delete(this);
  }

  /** From one generation to the next, until closed. */
  async #live(first: Membership): Promise<void> {
    let membership: Membership | undefined = first;
    while (membership !== undefined && !this.#end.signal.aborted) {
      const ending = await this.#stay(membership);
      if (this.#end.signal.aborted) return;
      if (ending.kind === 'failed') return this.#fail(ending.error);
      if (ending.kind === 'rebalance') await this.#giveUp(membership);
      else this.#lose(ending.kind === 'expelled' ? ending.error : undefined);
      membership = await this.#rejoin();
    }
  }

  async #stay(membership: Membership): Promise<Ending> {
    const session = this.#newSession(membership);
    const ending = await session.stay();
    if (ending.kind === 'expelled' && typeOf(ending.error) === 'UNKNOWN_MEMBER_ID') this.#member.forget();
    return ending;
  }

  #newSession(membership: Membership): Session {
    const { runtime, options } = this.#settings;
    this.#session = new Session({
      runtime,
      member: this.#member,
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
    const { runtime, options } = this.#settings;
    const { clock } = runtime;
    this.#freeze();
    const keeper = this.#newSession(membership);
    const kept = keeper.keep();
    const late = new AbortController();
    const patience = Math.max(
      options.rebalanceTimeoutMs / 2,
      options.rebalanceTimeoutMs - options.heartbeatIntervalMs - JOIN_MARGIN_MS,
    );
    const timer = clock.setTimer(patience, () => late.abort());
    void kept.then(() => late.abort());
    await Promise.race([Promise.all(this.#shares.map((share) => share.source.drain())), aborted(late.signal)]);
    await this.#commits.flush(late.signal);
    timer.cancel();
    keeper.end();
    // Closing stores by itself.
    if (this.#end.signal.aborted) return;
    this.#lose(new Error('the handlers did not end in time for the other members of the group'));
  }

  /** What was not drained before is lost now. */
  #lose(error: unknown): void {
    this.#fetcher.disown();
    this.#commits.end();
    for (const share of this.#shares) {
      share.end();
      share.source.lost(error);
    }
    this.#shares = [];
  }

  /** Others may own the partitions now. What is settled stays known: if nobody took over, it is stored before the rejoin. */
  #silent(error: unknown): void {
    this.#freeze();
    for (const share of this.#shares) share.source.lost(error ?? new Error('the broker was not reached for too long'));
  }

  #freeze(): void {
    this.#fetcher.disown();
    for (const share of this.#shares) share.freeze();
  }

  /** Undefined when it is not to go on. */
  async #rejoin(): Promise<Membership | undefined> {
    const { runtime } = this.#settings;
    const backoff = runtime.backoff();
    while (!this.#end.signal.aborted) {
      try {
        return await this.#join();
      } catch (error) {
        if (this.#end.signal.aborted) return undefined;
        runtime.log.debug('Cannot join the group now.', { error });
        if (!classify(error).retryable) {
          this.#fail(error);
          return undefined;
        }
        await sleep(runtime.clock, backoff.next(), this.#end.signal).catch(() => {});
        await this.#leaders.refresh(this.#link).catch(() => {});
      }
    }
    return undefined;
  }

  /** One attempt, and another at once where the group itself asks for it. */
  async #join(): Promise<Membership> {
    for (let tries = 0; ; tries++) {
      try {
        const membership = await this.#member.join();
        await this.#begin(membership);
        return membership;
      } catch (error) {
        const again = isExpelled(error) || typeOf(error) === 'REBALANCE_IN_PROGRESS';
        if (!again || tries >= 10 || this.#end.signal.aborted) throw error;
      }
    }
  }

  /** A new generation: reads where it stands, and takes over from there. */
  async #begin(membership: Membership): Promise<void> {
    const notes = await this.#store.read();
    this.#store.check(notes);
    const bare = membership.partitions.filter((partition) => !notes.has(partition));
    const starts = await this.#earliest(bare);
    if (this.#end.signal.aborted) throw new KafkaFault('CLOSED', false, 'the receiver was closed');
    this.#shares = membership.partitions.map((partition) => {
      const note = notes.get(partition);
      const share = this.#own(partition, note?.progress ?? nothingAbove(starts.get(partition) ?? 0));
      // Also where somebody reset the position by hand: the group's charter belongs to every position.
      if (note?.charter === undefined) share.touch();
      return share;
    });
    this.#commits.begin(membership, this.#shares);
    this.#fetcher.own(this.#shares);
  }

  #own(partition: number, progress: Progress): Share {
    const { sink, topic, spec, options } = this.#settings;
    const source = sink.own(`partition ${partition} of '${spec.topic.name}'`);
    const { charter } = spec;
    return new Share({ topic, partition, source, progress, charter, maxBytes: options.maxBytesPerPartition });
  }

  /** Partitions that came after the group are read from their beginning: what stands in them was sent to this group too. */
  async #earliest(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (partitions.length === 0) return new Map();
    return logOffsets(this.#link, this.#leaders, this.#settings.topic, 'earliest', partitions);
  }

  /** What the group has yet to read is gone; it goes on with what there is. */
  async #outOfRange(share: Share): Promise<void> {
    const { runtime, topic } = this.#settings;
    const start = (await this.#earliest([share.partition])).get(share.partition) ?? 0;
    if (share.over || !this.#shares.includes(share)) return;
    const message = `Partition ${share.partition} of '${topic}' has nothing at ${share.position} any more: it was deleted before this group read it, or the log was cut. Going on at ${start}.`;
    runtime.log.warn(message);
    share.end();
    share.source.lost(new Error(message));
    const next = this.#own(share.partition, nothingAbove(start));
    next.touch();
    this.#shares = this.#shares.map((each) => (each === share ? next : each));
    this.#commits.replace(this.#shares);
    this.#fetcher.own([next]);
  }

  /** Hands over as much as credit allows, every partition its part. */
  #pump(): void {
    const ready = this.#shares.filter((share) => share.deliverable);
    const records: KafkaRecord[] = [];
    const quota = Math.ceil(this.#credit / Math.max(1, ready.length));
    for (let i = 0; i < ready.length && records.length < this.#credit; i++) {
      const share = ready[(this.#first + i) % ready.length] as Share;
      records.push(...share.take(Math.min(quota, this.#credit - records.length)));
    }
    this.#first += 1;
    this.#fetcher.wake();
    // Also without records: what is passed over, as markers of transactions are, is stored too.
    this.#commits.soon();
    if (records.length === 0) return;
    this.#credit -= records.length;
    this.#settings.sink.deliver(records);
    // What one partition did not use is another's.
    if (this.#credit > 0 && this.#shares.some((share) => share.deliverable)) this.#pump();
  }

  /** The topic has more partitions than were shared out. Only one member looks, so that only one asks for a rebalance. */
  #outgrown({ leads, total }: Membership): boolean {
    const { clock, log } = this.#settings.runtime;
    if (!leads) return false;
    if (clock.monotonic() - this.#grewAt > GROWTH_MS) {
      this.#grewAt = clock.monotonic();
      this.#leaders.refresh(this.#link).catch((error) => log.debug('Cannot look for new partitions.', { error }));
    }
    return this.#leaders.count > total;
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#end.signal.aborted) return;
    this.#failed = true;
    this.#settings.sink.failed(error);
  }
}

function unfinishedBy(note: CommitNote | undefined, end: number): number {
  if (note === undefined) return end;
  const { prefix, finished } = note.progress;
  return Math.max(0, end - prefix - finished.reduce((sum, { from, to }) => sum + to - from, 0));
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
