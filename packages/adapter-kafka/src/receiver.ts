import type { AdapterRuntime, IncomingRecord, Receiver, ReceiverSink, ReceiverSpec } from '@anymq/core/adapter';
import type { Client } from './client.js';
import { classify } from './errors.js';
import { settledWithin } from './internal/bounded.js';
import { CommitLoop } from './internal/commit-loop.js';
import { unfinishedBy } from './internal/commit-note.js';
import { Coordinator } from './internal/coordinator.js';
import { Fetcher } from './internal/fetcher.js';
import { Generations } from './internal/generations.js';
import { GroupStore } from './internal/group-store.js';
import { Leaders } from './internal/leaders.js';
import { checkBroker, type Link } from './internal/link.js';
import { logOffsets } from './internal/log-offsets.js';
import { Member } from './internal/member.js';
import type { KafkaRecord, Share } from './internal/share.js';
import { Shares } from './internal/shares.js';
import { groupId } from './names.js';
import type { ParsedOptions } from './options.js';

/** How long closing tries to store what was settled, and to leave. */
const FLUSH_MS = 5_000;
const LEAVE_MS = 2_000;
/** Unfinished records of one partition under way: what is known of so many always finds room in a commit. */
const MAX_OPEN = 1_000;

export interface ReceiverSettings {
  readonly runtime: AdapterRuntime;
  readonly options: ParsedOptions;
  readonly client: Client;
  readonly spec: ReceiverSpec;
  readonly sink: ReceiverSink;
  /** Of the topic on the broker. */
  readonly topic: string;
  /** Open ones, to be closed with the adapter. */
  readonly open: Set<{ close(): Promise<void> }>;
}

/** One member of a Kafka group, with connections of its own: joins and fetches occupy them. */
export class KafkaReceiver implements Receiver {
  readonly #settings: ReceiverSettings;
  readonly #link: Link;
  readonly #leaders: Leaders;
  readonly #store: GroupStore;
  readonly #member: Member;
  readonly #shares: Shares;
  readonly #commits: CommitLoop;
  readonly #fetcher: Fetcher<Share>;
  readonly #generations: Generations;
  #closing: Promise<void> | undefined;
  #failed = false;

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
    const { runtime, options, client, spec, sink, topic } = settings;
    this.#settings = settings;
    const id = groupId(runtime.namespace, spec.group, spec.topic.name);
    const link = client.link();
    const leaders = new Leaders(topic);
    const shared = { runtime, options, topic, link, leaders, groupId: id, coordinator: new Coordinator(link, id) };
    const failed = (error: unknown): void => this.#fail(error);
    this.#link = link;
    this.#leaders = leaders;
    this.#store = new GroupStore({ ...shared, charter: spec.charter, startFrom: spec.startFrom });
    this.#member = new Member({ ...shared, protocol: client.protocol, openLink: () => client.link() });
    this.#shares = new Shares({
      ...shared,
      store: this.#store,
      topicName: spec.topic.name,
      charter: spec.charter,
      maxBytesPerPartition: options.maxBytesPerPartition,
      // One lane is one partition: a bound below the credit would hold up what falls due behind it.
      maxOpen: spec.topic.oneLane === true ? Math.max(MAX_OPEN, spec.maxInFlight) : MAX_OPEN,
      maxInFlightBytes: spec.maxInFlightBytes,
      sink,
      stillOwned: () => this.#generations.alive,
      earliest: (partitions) => logOffsets(link, leaders, topic, 'earliest', partitions),
    });
    this.#commits = new CommitLoop({ ...shared, store: this.#store, expelled: () => this.#generations.expelled() });
    this.#fetcher = new Fetcher({
      ...shared,
      fetched: () => this.#pump(),
      outOfRange: (share) => this.#outOfRange(share),
      failed,
    });
    this.#generations = new Generations({
      ...shared,
      member: this.#member,
      shares: this.#shares,
      commits: this.#commits,
      fetcher: this.#fetcher,
      failed,
    });
  }

  credit(records: number, bytes: number): void {
    this.#shares.credit(records, bytes);
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
      lag += this.#shares.owned(partition)?.unfinished(end) ?? unfinishedBy(notes.get(partition), end);
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
    await this.#generations.start();
  }

  async #close(): Promise<void> {
    const { runtime, spec } = this.#settings;
    const { clock, log } = runtime;
    this.#generations.end();
    this.#fetcher.stop();
    const late = new AbortController();
    const timer = clock.setTimer(FLUSH_MS, () => late.abort());
    await settledWithin(clock, this.#commits.flush(late.signal), FLUSH_MS + LEAVE_MS);
    timer.cancel();
    this.#commits.end();
    for (const share of this.#shares.all) share.end();
    const gone = this.#member.leave().then(() => (spec.ephemeral === true ? this.#store.remove() : undefined));
    const left = gone.catch((error) => log.debug('Could not leave the group.', { error }));
    await settledWithin(clock, left, LEAVE_MS);
    // Nothing is under way but fetches, whose answers nobody wants.
    await this.#link.abort('the receiver was closed');
    await settledWithin(clock, this.#generations.ended, LEAVE_MS);
    this.#settings.open.delete(this);
  }

  #pump(): void {
    for (;;) {
      const records = this.#shares.take();
      if (records.length === 0) break;
      this.#settings.sink.deliver(records);
    }
    this.#fetcher.wake();
    // Also without records: what is passed over, as markers of transactions are, is stored too.
    this.#commits.soon();
  }

  async #outOfRange(share: Share): Promise<void> {
    const next = await this.#shares.restart(share);
    if (next === undefined) return;
    this.#commits.replace(this.#shares.all);
    this.#fetcher.own([next]);
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#closing !== undefined) return;
    this.#failed = true;
    // Of a topic that is gone there are no positions to store.
    if (classify(error).code === 'NOT_FOUND') this.#commits.end();
    this.#settings.sink.failed(error);
  }
}
