import { type AdapterRuntime, ByteCredit, type ReceiverSink } from '@anymq/core/adapter';
import { type CommitNote, nothingAbove } from './commit-note.js';
import type { GroupStore } from './group-store.js';
import type { Progress } from './offset-tracker.js';
import { type KafkaRecord, Share, type Stored } from './share.js';

export interface SharesSettings {
  readonly runtime: AdapterRuntime;
  readonly store: GroupStore;
  /** As users know it. */
  readonly topicName: string;
  /** On the broker. */
  readonly topic: string;
  readonly charter: string;
  readonly maxBytesPerPartition: number;
  /** Unfinished records of a partition under way at once. */
  readonly maxOpen: number;
  readonly maxInFlightBytes: number;
  readonly sink: ReceiverSink;
  /** Asked before every handler. */
  readonly stillOwned: () => boolean;
  /** First offsets of partitions. */
  readonly earliest: (partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>;
}

/** The partitions that this member owns now, and how credit is shared among them. */
export class Shares {
  readonly #settings: SharesSettings;
  #shares: readonly Share[] = [];
  /** What was known of partitions when they were lost, and could not be stored any more. */
  readonly #past = new Map<number, { readonly progress: Progress; readonly stored: Stored | undefined }>();
  #credit = 0;
  readonly #bytes: ByteCredit;
  /** Whose turn is first. */
  #first = 0;

  constructor(settings: SharesSettings) {
    this.#settings = settings;
    this.#bytes = new ByteCredit(settings.maxInFlightBytes);
  }

  get all(): readonly Share[] {
    return this.#shares;
  }

  owned(partition: number): Share | undefined {
    return this.#shares.find((share) => share.partition === partition && !share.over);
  }

  credit(records: number, bytes: number): void {
    this.#credit += records;
    this.#bytes.add(bytes);
  }

  /** A new generation: reads where it stands, and takes over from there. */
  async begin(partitions: readonly number[], signal: AbortSignal): Promise<readonly Share[]> {
    const { store, earliest } = this.#settings;
    const notes = await store.read();
    store.check(notes);
    // Partitions that came after the group: what stands in them was sent to this group too.
    const bare = partitions.filter((partition) => !notes.has(partition));
    const starts = bare.length === 0 ? new Map<number, number>() : await earliest(bare);
    signal.throwIfAborted();
    this.#shares = partitions.map((partition) => this.#take(partition, notes.get(partition), starts));
    return this.#shares;
  }

  /** Nothing more is given out. */
  freeze(): void {
    for (const share of this.#shares) share.freeze();
  }

  /** The generation is over; what was not drained is lost. */
  lose(error: unknown): void {
    for (const share of this.#shares) {
      if (share.dirty) this.#past.set(share.partition, share.knowledge());
      share.end();
      share.source.lost(error);
    }
    this.#shares = [];
  }

  /** What the group has yet to read of a partition is gone: it goes on with what there is. Undefined when it is not ours. */
  async restart(share: Share): Promise<Share | undefined> {
    const { runtime, topic, earliest } = this.#settings;
    const start = (await earliest([share.partition])).get(share.partition) ?? 0;
    if (share.over || !this.#shares.includes(share)) return undefined;
    const message = `Partition ${share.partition} of '${topic}' has nothing at ${share.position} any more: it was deleted before this group read it, or the log was cut. Going on at ${start}.`;
    runtime.log.warn(message);
    share.end();
    share.source.lost(new Error(message));
    const next = this.#own(share.partition, nothingAbove(start), undefined);
    next.touch();
    this.#shares = this.#shares.map((each) => (each === share ? next : each));
    return next;
  }

  /** Takes as much as credit allows, of every partition its part. */
  take(): KafkaRecord[] {
    const ready = this.#shares.filter((share) => share.deliverable);
    const quota = Math.ceil(this.#credit / Math.max(1, ready.length));
    const records: KafkaRecord[] = [];
    for (let i = 0; i < ready.length && records.length < this.#credit; i++) {
      const share = ready[(this.#first + i) % ready.length] as Share;
      for (const record of share.take(Math.min(quota, this.#credit - records.length), this.#bytes))
        records.push(record);
    }
    this.#first += 1;
    this.#credit -= records.length;
    return records;
  }

  #take(partition: number, note: CommitNote | undefined, starts: ReadonlyMap<number, number>): Share {
    if (note === undefined) {
      const share = this.#own(partition, nothingAbove(starts.get(partition) ?? 0), undefined);
      share.touch();
      return share;
    }
    const stored: Stored = { offset: note.progress.prefix, text: note.text };
    const known = this.#known(partition, stored);
    const share = this.#own(partition, known ?? note.progress, stored);
    // Also where somebody reset the position by hand: the group's charter belongs to every position.
    if (known !== undefined || note.charter === undefined) share.touch();
    return share;
  }

  /** What this member knew better when it lost the partition, if nobody has stored anything since. */
  #known(partition: number, stored: Stored): Progress | undefined {
    const past = this.#past.get(partition);
    this.#past.delete(partition);
    const untouched = past?.stored?.offset === stored.offset && past.stored.text === stored.text;
    return untouched ? past.progress : undefined;
  }

  #own(partition: number, progress: Progress, stored: Stored | undefined): Share {
    const { sink, stillOwned, topic, topicName, charter, maxBytesPerPartition: maxBytes, maxOpen } = this.#settings;
    const source = sink.own(`partition ${partition} of '${topicName}'`, stillOwned);
    return new Share({ topic, partition, source, progress, stored, charter, maxBytes, maxOpen });
  }
}
