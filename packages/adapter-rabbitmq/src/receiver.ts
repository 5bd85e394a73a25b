import {
  type AdapterRuntime,
  ByteCredit,
  type IncomingRecord,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Timer,
} from '@anymq/core/adapter';
import { classify, isNotFound } from './errors.js';
import { Bucket } from './internal/bucket.js';
import { withChannel, within } from './internal/channels.js';
import type { Epoch } from './internal/epoch.js';
import { allBuckets, joinAlone, joinGroup } from './internal/group.js';
import { Handovers } from './internal/handovers.js';
import type { Link } from './internal/link.js';
import type { Mutex } from './internal/mutex.js';
import { Notes } from './internal/notes.js';
import { Presence } from './internal/presence.js';
import { randomName } from './internal/random.js';
import type { RabbitmqRecord } from './internal/record.js';
import { type GroupNames, groupNames } from './names.js';
import type { DeclaredTopic, Topology } from './topology.js';

/** Settlements of this long go into one acknowledgement: each is a frame to write, and a third of the cost of a message at 2 ms. */
const FLUSH_MS = 8;
/** So much of the prefetch is not left to wait for that: the broker would run out of what it may send. */
const FLUSH_PART = 4;
const MIN_PREFETCH = 4;
/** What the protocol can say. */
const MAX_PREFETCH = 65_535;
/** Those that stay unsettled in a queue while a late group's past is handled. */
const MARKERS = 2;
/** How long leaving the group waits for a broker that does not answer; it takes 2 s when a note cannot be written. */
const LEAVE_MS = 5_000;
/** How long closing tries to take an ephemeral group's queue away. */
const REMOVE_MS = 2_000;

export interface ReceiverSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  readonly topology: Topology;
  readonly mutex: Mutex;
  readonly confirmTimeoutMs: number;
  readonly mayCreate: boolean;
  readonly maxPrefetch: number;
  readonly closed: () => void;
}

/** One member of one group on one topic. */
export class RabbitmqReceiver implements Receiver {
  readonly #spec: ReceiverSpec;
  readonly #sink: ReceiverSink;
  readonly #settings: ReceiverSettings;
  readonly #id: string;
  readonly #closing = new AbortController();
  readonly #dirty = new Set<Epoch>();
  /** Buckets that may have a `past` queue. */
  readonly #pasts = new Set<number>();
  #names: GroupNames | undefined;
  #buckets: readonly Bucket[] = [];
  #notes: Notes | undefined;
  #presence: Presence | undefined;
  readonly #handovers: Handovers;
  #credit = 0;
  /** Of each bucket. */
  #prefetch = MIN_PREFETCH;
  readonly #bytes: ByteCredit;
  /** Bucket to begin with at the next hand-over, so that none is always last. */
  #turn = 0;
  #waking = false;
  #flushing: Timer | undefined;
  #madeUp = 0;
  #closed: Promise<void> | undefined;

  constructor(spec: ReceiverSpec, sink: ReceiverSink, settings: ReceiverSettings) {
    this.#spec = spec;
    this.#sink = sink;
    this.#settings = settings;
    this.#bytes = new ByteCredit(spec.maxInFlightBytes);
    this.#id = randomName(settings.runtime.random);
    this.#handovers = new Handovers(settings.runtime.clock);
  }

  /** Sets up topic and group where missing, and joins. Leaves nothing open when it rejects. */
  async open(): Promise<void> {
    try {
      const topic = await this.#settings.topology.topic(this.#spec.topic);
      const names = groupNames(topic.names.entry, this.#spec.group);
      this.#names = names;
      if (this.#spec.ephemeral === true) await joinAlone({ ...this.#settings, topic, names });
      else await this.#joinGroup(topic, names);
      await this.#join(topic, names);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #joinGroup(topic: DeclaredTopic, names: GroupNames): Promise<void> {
    const { signal } = this.#closing;
    const hasPast = await joinGroup({ ...this.#settings, topic, names, spec: this.#spec, signal });
    if (hasPast) for (const bucket of allBuckets(topic)) this.#pasts.add(bucket);
  }

  credit(records: number, bytes: number): void {
    this.#credit += records;
    this.#bytes.add(bytes);
    this.#wake();
  }

  settle(records: readonly IncomingRecord[]): void {
    for (const record of records as readonly RabbitmqRecord[]) record.settler.settled(record);
    for (const epoch of this.#dirty) {
      if (epoch.toAcknowledge < this.#prefetch / FLUSH_PART) continue;
      epoch.flush();
      this.#dirty.delete(epoch);
    }
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#notes?.hold(record.id, attempts);
  }

  /** What the queues have, and what the members have and have not settled: of the others as of their last sign of life. */
  async lag(): Promise<number> {
    const names = this.#names;
    if (names === undefined) return 0;
    let sum = await this.#depth(this.#buckets.map(({ queue }) => queue));
    for (const bucket of this.#pasts) sum += await this.#depthOfPast(names, bucket);
    return sum + this.#unsettled() + (this.#presence?.unsettledElsewhere ?? 0);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    // What a silent broker leaves open ends with the connections.
    await within(this.#settings.runtime.clock, LEAVE_MS, this.#leave());
    this.#flushing?.cancel();
    this.#handovers.close();
    if (this.#spec.ephemeral === true) await this.#removeQueue();
    this.#settings.closed();
  }

  async #leave(): Promise<void> {
    this.#flush();
    await Promise.all([...this.#buckets.map((bucket) => bucket.close()), this.#notes?.close()]);
    // Last: the others take over as soon as the channels are closed, and need not balance what nobody has yet.
    await this.#presence?.close();
  }

  /** What does not get through ends by itself: the queue expires. */
  async #removeQueue(): Promise<void> {
    const { consuming, runtime } = this.#settings;
    const queue = this.#names?.bucket(0);
    if (queue === undefined) return;
    const removal = withChannel(consuming, (channel) => channel.deleteQueue(queue)).catch(() => {});
    await within(runtime.clock, REMOVE_MS, removal);
  }

  async #join(topic: DeclaredTopic, names: GroupNames): Promise<void> {
    const { publishing, consuming, runtime, confirmTimeoutMs } = this.#settings;
    const { control } = topic.names;
    const alone = this.#spec.ephemeral === true;
    const notes = new Notes({ runtime, publishing, consuming, control, names, confirmTimeoutMs, kept: !alone });
    this.#notes = notes;
    const buckets = alone ? [0] : allBuckets(topic);
    this.#prefetch = prefetchOf(this.#spec, buckets.length, this.#settings.maxPrefetch);
    const all = buckets.map((index) => this.#newBucket(topic, notes, names.bucket(index), names.past(index)));
    if (!alone) all.push(this.#newBucket(topic, notes, names.givenUp));
    this.#buckets = all;
    // In line first, announced then: whoever gives up a bucket for this member finds it there.
    await Promise.all(this.#buckets.map((bucket) => bucket.start()));
    if (alone) return;
    this.#presence = new Presence({
      runtime,
      publishing,
      consuming,
      control,
      names,
      id: this.#id,
      unsettled: () => this.#unsettled(),
      changed: () => this.#balance(() => true),
      beat: () => this.#balance((bucket) => bucket.owned),
      gave: (bucket) => this.#handovers.given(bucket),
    });
    await this.#presence.start();
  }

  /** @param past undefined: of what the broker gave up */
  #newBucket(topic: DeclaredTopic, notes: Notes, live: string, past?: string): Bucket {
    const { runtime, consuming: link } = this.#settings;
    // Without a key nothing is in order, and alone nobody had it before.
    const mayRun = this.#spec.topic.keyed && this.#spec.ephemeral !== true;
    const settings = {
      runtime,
      link,
      sink: this.#sink,
      failed: (error: unknown) => this.#failed(error),
      notes,
      live,
      past: past ?? `${live}:past`,
      givenUp: past === undefined,
      control: topic.names.control,
      prefetch: this.#prefetch,
      madeUpId: () => this.#madeUpId(live),
      handedOver: () => (mayRun ? this.#handovers.over(live) : Promise.resolve()),
      gave: () => this.#presence?.give(live),
      wake: () => this.#wake(),
      dirty: (epoch: Epoch) => this.#flushSoon(epoch),
    };
    return new Bucket(settings);
  }

  /** Goes to the end of the line at every bucket that is another member's. */
  #balance(which: (bucket: Bucket) => boolean): void {
    const members = this.#presence?.members ?? [];
    if (members.length < 2) return;
    this.#buckets.forEach((bucket, index) => {
      if (members[index % members.length] !== this.#id && which(bucket)) void bucket.requeue();
    });
  }

  #failed(error: unknown): void {
    // Somebody has deleted the topic: whoever receives it next declares it anew.
    if (classify(error).code === 'NOT_FOUND') this.#settings.topology.forget();
    this.#sink.failed(error);
  }

  #madeUpId(queue: string): string {
    this.#madeUp += 1;
    return `${queue}#${this.#id}-${this.#madeUp}`;
  }

  #unsettled(): number {
    return this.#buckets.reduce((sum, bucket) => sum + bucket.unsettled, 0);
  }

  /** Everything that arrives in one turn is handed over at once. */
  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      this.#handOver();
    });
  }

  #handOver(): void {
    const count = this.#buckets.length;
    const records: IncomingRecord[] = [];
    for (let step = 0; step < count && this.#credit > 0; step += 1) {
      this.#turn = (this.#turn + 1) % count;
      this.#credit -= this.#buckets[this.#turn]?.take(this.#credit, this.#bytes, records) ?? 0;
    }
    if (records.length > 0) this.#sink.deliver(records);
  }

  #flushSoon(epoch: Epoch): void {
    this.#dirty.add(epoch);
    this.#flushing ??= this.#settings.runtime.clock.setTimer(FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#flushing?.cancel();
    this.#flushing = undefined;
    for (const epoch of this.#dirty) epoch.flush();
    this.#dirty.clear();
  }

  async #depth(queues: readonly string[]): Promise<number> {
    return withChannel(this.#settings.consuming, async (channel) => {
      let sum = 0;
      for (const queue of queues) sum += (await channel.checkQueue(queue)).messageCount;
      return sum;
    });
  }

  /** A missing queue is not looked for again: the broker logs it as an error, and closes the channel. */
  async #depthOfPast(names: GroupNames, bucket: number): Promise<number> {
    try {
      return await this.#depth([names.past(bucket)]);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#pasts.delete(bucket);
      if (this.#pasts.size > 0) return 0;
      await withChannel(this.#settings.consuming, (channel) => channel.deleteExchange(names.pasts));
      return 0;
    }
  }
}

/**
 * Most unsettled messages of one bucket. In a single lane exactly what core may hold, and room for the markers of a late group:
 * what is held there for long keeps others waiting, and what waits here grows old with the broker, which closes the channel.
 */
function prefetchOf({ topic, maxInFlight }: ReceiverSpec, buckets: number, maxPrefetch: number): number {
  if (topic.oneLane === true) return Math.min(MAX_PREFETCH, maxInFlight + MARKERS);
  return Math.min(maxPrefetch, Math.max(MIN_PREFETCH, Math.ceil((2 * maxInFlight) / buckets)));
}
