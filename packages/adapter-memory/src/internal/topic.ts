import { type MessageFields, positionOf, sizeOf } from '../codec.js';
import { MemoryFault } from '../errors.js';
import type { BrokerSettings } from '../options.js';
import type { Group } from './group.js';
import { hash } from './hash.js';
import { Ledger } from './ledger.js';
import { type Log, PlainLog } from './log.js';

/** Messages that are settled between two looks for what may be archived. Few, so that a young collection finds few that wait for it. */
const ARCHIVE_EVERY = 16;

/** What two users of a topic must agree on. */
export interface TopicSettings {
  readonly keyed: boolean;
  readonly history: 'full' | 'none';
  readonly oneLane: boolean;
  readonly retention: 'by-age' | 'last-of-key';
}

/** Somebody who reads the topic without a group. */
export interface Onlooker {
  /** Something arrived. */
  arrived(): void;
  /** Lowest offset of the partition that it has yet to read. */
  positionIn(partition: number): number;
  /** The topic is gone. */
  deleted(error: MemoryFault): void;
}

/** A topic: its messages in partitions, and its groups. */
export class StoredTopic {
  readonly name: string;
  readonly settings: TopicSettings;
  readonly logs: readonly Log[];
  readonly groups = new Map<string, Group>();
  readonly onlookers = new Set<Onlooker>();
  readonly #bounds: BrokerSettings;
  readonly #warn: (message: string) => void;
  #warned = false;
  #kept = 0;
  #bytes = 0;
  #sequence = 0;
  /** Settled since it was last looked for what may be archived. */
  #settled = 0;

  constructor(name: string, settings: TopicSettings, bounds: BrokerSettings, warn: (message: string) => void) {
    this.name = name;
    this.settings = settings;
    this.#bounds = bounds;
    this.#warn = warn;
    const newLog = (): Log => (settings.retention === 'last-of-key' ? new Ledger() : new PlainLog());
    this.logs = Array.from({ length: settings.oneLane ? 1 : bounds.partitions }, newLog);
  }

  /** Tells everybody who has it open. */
  deleted(): void {
    const error = new MemoryFault('missing', `topic '${this.name}' was deleted`);
    for (const group of this.groups.values()) group.deleted(error);
    for (const onlooker of this.onlookers) onlooker.deleted(error);
  }

  /** Nobody would ever get a message that is sent now. */
  get unroutable(): boolean {
    return this.settings.history === 'none' && this.groups.size === 0;
  }

  /** What groups have yet to settle takes all the room there is. */
  get full(): boolean {
    return this.groups.size > 0 && this.#bytes >= this.#maxBytes;
  }

  get #maxBytes(): number {
    return this.#bounds.historyMaxBytes + this.#bounds.backlogMaxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  partitionOf(key: string): number {
    return hash(key) % this.logs.length;
  }

  /** Appends a message and returns its position. {@link announce} tells the groups. */
  append(partition: number, fields: MessageFields): string {
    const log = this.logs[partition] as Log;
    const position = positionOf(partition, log.end);
    log.append(fields, this.#sequence++);
    this.#kept++;
    this.#bytes += sizeOf(fields.body.length, fields.headers);
    return position;
  }

  /** Tells groups and onlookers, once for all that was appended to a partition. */
  announce(partition: number): void {
    for (const group of this.groups.values()) group.arrived(partition);
    for (const onlooker of this.onlookers) onlooker.arrived();
    this.trim();
    const log = this.logs[partition] as Log;
    if (this.groups.size === 0) log.archive(log.end);
  }

  /** A group is through with so many messages: what all are through with may go, or is kept in another way. */
  settled(count: number): void {
    this.trim();
    this.#settled += count;
    if (this.settings.history === 'none' || this.#settled < ARCHIVE_EVERY) return;
    this.#settled = 0;
    for (const [partition, log] of this.logs.entries()) log.archive(this.#floor(log, partition));
  }

  /**
   * Drops the oldest messages beyond what the topic keeps; never one that a group has yet to settle. Before the first group
   * comes it keeps as much as it ever would for one.
   */
  trim(): void {
    if (!this.#tooMuch()) return;
    if (this.groups.size === 0 && this.settings.retention === 'by-age') this.#warnOnce();
    const floors = this.logs.map((log, partition) => this.#floor(log, partition));
    while (this.#tooMuch() && this.#dropRun(floors));
  }

  #tooMuch(): boolean {
    // What is superseded is always too much, and nothing else of a ledger can be dropped.
    if (this.settings.retention === 'last-of-key') return true;
    if (this.settings.history === 'none') return this.#kept > 0;
    if (this.groups.size === 0) return this.#bytes > this.#maxBytes;
    return this.#kept > this.#bounds.historyMaxMessages || this.#bytes > this.#bounds.historyMaxBytes;
  }

  #warnOnce(): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#warn(
      `Topic '${this.name}' has no group and holds ${this.#maxBytes} bytes, all that historyMaxBytes and backlogMaxBytes allow. From now on its oldest messages are dropped.`,
    );
  }

  /** Lowest offset that somebody still needs. Onlookers take what retention leaves them, but without history that were nothing. */
  #floor(log: Log, partition: number): number {
    let floor = log.end;
    for (const group of this.groups.values()) {
      const committed = group.shares[partition]?.cursor.committed ?? 0;
      if (committed < floor) floor = committed;
    }
    if (this.settings.history === 'full') return floor;
    for (const onlooker of this.onlookers) floor = Math.min(floor, onlooker.positionIn(partition));
    return floor;
  }

  /**
   * Drops from the partition with the oldest message until another one has an older. Partitions are written in batches, so
   * such a run is long: looking at all of them for every message was 0.4 us of each.
   */
  #dropRun(floors: readonly number[]): boolean {
    let oldest = -1;
    let first = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    for (let partition = 0; partition < this.logs.length; partition++) {
      const sequence = this.#droppable(partition, floors);
      if (sequence < first) {
        second = first;
        first = sequence;
        oldest = partition;
      } else if (sequence < second) second = sequence;
    }
    if (oldest < 0) return false;
    do this.#drop(this.logs[oldest] as Log, floors[oldest] as number);
    while (this.#tooMuch() && this.#droppable(oldest, floors) < second);
    return true;
  }

  /** When the partition's oldest message came that may go, if nobody needs it any more; else infinity. */
  #droppable(partition: number, floors: readonly number[]): number {
    return (this.logs[partition] as Log).droppable(floors[partition] as number);
  }

  #drop(log: Log, floor: number): void {
    const size = log.drop(floor);
    if (size === undefined) return;
    this.#kept--;
    this.#bytes -= size;
  }
}
