import type { AdapterRuntime, Reader, ReaderSink, Timer } from '@anymq/core/adapter';
import type { Client } from '../client.js';
import type { ParsedOptions } from '../options.js';
import { Fetcher } from './fetcher.js';
import { Leaders } from './leaders.js';
import type { Link } from './link.js';
import { logOffsets } from './log-offsets.js';
import { READ_AHEAD_BYTES, ReadAhead } from './read-ahead.js';
import { ReadPartition } from './read-partition.js';

/** A topic that has grown is noticed within this. */
const REFRESH_MS = 10_000;

export interface ReaderSettings {
  readonly runtime: AdapterRuntime;
  readonly options: ParsedOptions;
  readonly client: Client;
  /** Of the topic on the broker. */
  readonly topic: string;
  readonly from: 'earliest' | 'latest';
  readonly sink: ReaderSink;
  /** Open ones, to be closed with the adapter. */
  readonly open: Set<{ close(): Promise<void> }>;
}

/** Fetches all partitions of a topic, without a group: where it stands is known to it alone. Fetches occupy its connections. */
export class KafkaReader implements Reader {
  readonly #settings: ReaderSettings;
  readonly #link: Link;
  readonly #leaders: Leaders;
  readonly #fetcher: Fetcher<ReadPartition>;
  readonly #ahead = new ReadAhead();
  readonly #known = new Set<number>();
  #refresh: Timer | undefined;
  #handing = false;
  #closing: Promise<void> | undefined;

  /** With its positions fixed. */
  static async open(settings: ReaderSettings): Promise<KafkaReader> {
    const reader = new KafkaReader(settings);
    settings.open.add(reader);
    try {
      await reader.#leaders.refresh(reader.#link);
      await reader.#begin(settings.from);
      reader.#refreshLater();
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  private constructor(settings: ReaderSettings) {
    const { runtime, options, client, topic } = settings;
    this.#settings = settings;
    this.#link = client.link();
    this.#leaders = new Leaders(topic);
    this.#fetcher = new Fetcher({
      runtime,
      options: {
        maxWaitMs: options.maxWaitMs,
        maxBytes: Math.min(options.maxBytes, READ_AHEAD_BYTES),
        maxBytesPerPartition: Math.min(options.maxBytesPerPartition, READ_AHEAD_BYTES),
      },
      topic,
      link: this.#link,
      leaders: this.#leaders,
      fetched: () => void this.#hand(),
      outOfRange: (partition) => this.#restart(partition),
      failed: (error) => this.#fail(error),
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#refresh?.cancel();
    this.#fetcher.stop();
    // Nothing is under way but fetches, whose answers nobody wants.
    await this.#link.abort('the reader was closed');
    this.#settings.open.delete(this);
  }

  /** Reads what is not read yet: all partitions at first, later those that came. */
  async #begin(from: 'earliest' | 'latest'): Promise<void> {
    const { topic } = this.#settings;
    const fresh = this.#leaders.partitions.filter((partition) => !this.#known.has(partition));
    if (fresh.length === 0) return;
    const starts = await logOffsets(this.#link, this.#leaders, topic, from, fresh);
    if (this.#closing !== undefined) return;
    for (const partition of starts.keys()) this.#known.add(partition);
    this.#fetcher.own([...starts].map(([partition, start]) => new ReadPartition(topic, partition, start, this.#ahead)));
  }

  /** One batch after another, each with all that came meanwhile. */
  async #hand(): Promise<void> {
    if (this.#handing) return;
    this.#handing = true;
    for (;;) {
      const records = this.#ahead.take();
      if (records.length === 0 || this.#closing !== undefined) break;
      this.#fetcher.wake();
      await this.#settings.sink.read(records);
    }
    this.#handing = false;
  }

  async #restart(partition: ReadPartition): Promise<void> {
    const { topic, runtime } = this.#settings;
    const { partition: number, position } = partition;
    const starts = await logOffsets(this.#link, this.#leaders, topic, 'earliest', [number]);
    const start = starts.get(number) ?? 0;
    const message = `Partition ${number} of '${topic}' has nothing at ${position} any more: it was deleted before it was read, or the log was cut. Reading on at ${start}.`;
    runtime.log.warn(message);
    partition.restart(start);
  }

  #refreshLater(): void {
    const { clock, log } = this.#settings.runtime;
    if (this.#closing !== undefined) return;
    this.#refresh = clock.setTimer(REFRESH_MS, () => {
      this.#grow()
        .catch((error) => log.debug(`Cannot look for new partitions of '${this.#settings.topic}' now.`, { error }))
        .finally(() => this.#refreshLater());
    });
  }

  /** What stands in a partition that came later was all sent after the reader began. */
  async #grow(): Promise<void> {
    await this.#leaders.refresh(this.#link);
    await this.#begin('earliest');
  }

  #fail(error: unknown): void {
    if (this.#closing === undefined) this.#settings.sink.failed(error);
  }
}
