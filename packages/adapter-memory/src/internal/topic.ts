import { type MessageFields, sizeOf, stored } from '../codec.js';
import type { BrokerSettings } from '../options.js';
import type { Group } from './group.js';
import { hash } from './hash.js';
import { Log } from './log.js';

/** What two users of a topic must agree on. */
export interface TopicSettings {
  readonly keyed: boolean;
  readonly history: 'full' | 'none';
}

/** A topic: its messages in partitions, and its groups. */
export class StoredTopic {
  readonly name: string;
  readonly settings: TopicSettings;
  readonly logs: readonly Log[];
  readonly groups = new Map<string, Group>();
  readonly #bounds: BrokerSettings;
  readonly #warn: (message: string) => void;
  #warned = false;
  #kept = 0;
  #bytes = 0;
  #sequence = 0;

  constructor(name: string, settings: TopicSettings, bounds: BrokerSettings, warn: (message: string) => void) {
    this.name = name;
    this.settings = settings;
    this.#bounds = bounds;
    this.#warn = warn;
    this.logs = Array.from({ length: bounds.partitions }, () => new Log());
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
    const message = stored(fields, `${partition}:${log.end}`, this.#sequence++);
    log.append(message);
    this.#kept++;
    this.#bytes += sizeOf(message);
    return message.position;
  }

  /** Tells the groups, once for all that was appended to a partition. */
  announce(partition: number): void {
    for (const group of this.groups.values()) group.arrived(partition);
    this.trim();
  }

  /**
   * Drops the oldest messages beyond what the topic keeps; never one that a group has yet to settle. Before the first group
   * comes it keeps as much as it ever would for one.
   */
  trim(): void {
    if (!this.#tooMuch()) return;
    if (this.groups.size === 0) this.#warnOnce();
    const floors = this.logs.map((log, partition) => this.#floor(log, partition));
    while (this.#tooMuch() && this.#dropOldest(floors));
  }

  #tooMuch(): boolean {
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

  /** Lowest offset that a group still needs. */
  #floor(log: Log, partition: number): number {
    let floor = log.end;
    for (const group of this.groups.values()) {
      const committed = group.shares[partition]?.cursor.committed ?? 0;
      if (committed < floor) floor = committed;
    }
    return floor;
  }

  #dropOldest(floors: readonly number[]): boolean {
    let oldest: Log | undefined;
    let sequence = Number.POSITIVE_INFINITY;
    for (const [partition, log] of this.logs.entries()) {
      const head = log.start < (floors[partition] as number) ? log.get(log.start) : undefined;
      if (head === undefined || head.sequence >= sequence) continue;
      sequence = head.sequence;
      oldest = log;
    }
    const dropped = oldest?.drop();
    if (dropped === undefined) return false;
    this.#kept--;
    this.#bytes -= sizeOf(dropped);
    return true;
  }
}
