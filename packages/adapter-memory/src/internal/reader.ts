import type { Reader, ReaderSink, ReadRecord } from '@anymq/core/adapter';
import type { Client, Renewable } from '../client.js';
import { type MessageFields, positionOf, readable } from '../codec.js';
import type { MemoryFault } from '../errors.js';
import type { Log } from './log.js';
import type { Onlooker, StoredTopic } from './topic.js';

/** What is handed over at once: so many records, and so many bytes of bodies unless the first is larger alone. */
const BATCH = Object.freeze({ records: 1_000, bytes: 1024 * 1024 });

/** Reads the logs themselves, batch by batch: it stands where its last batch ended, so an outage loses and repeats nothing. */
export class MemoryReader implements Reader, Renewable, Onlooker {
  readonly #client: Client;
  readonly #topic: StoredTopic;
  readonly #sink: ReaderSink;
  /** The next offset, for each partition. */
  readonly #positions: number[];
  /** A batch is on its way, or with the sink. */
  #busy = false;
  #closed = false;

  constructor(client: Client, topic: StoredTopic, from: 'earliest' | 'latest', sink: ReaderSink) {
    this.#client = client;
    this.#topic = topic;
    this.#sink = sink;
    this.#positions = topic.logs.map((log) => (from === 'earliest' ? log.start : log.end));
    topic.onlookers.add(this);
    client.add(this);
    this.arrived();
  }

  positionIn(partition: number): number {
    return this.#positions[partition] as number;
  }

  arrived(): void {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    this.#client.engine.schedule(() => this.#handOver());
  }

  /** Nothing comes over a way that is cut; there is nothing to lose. */
  cut(): void {}

  deleted(error: MemoryFault): void {
    if (!this.#closed) this.#sink.failed(error);
  }

  renew(): void {
    this.arrived();
  }

  leave(): void {
    this.#closed = true;
    this.#client.remove(this);
    this.#topic.onlookers.delete(this);
    this.#topic.trim();
  }

  async close(): Promise<void> {
    this.leave();
    await this.#client.engine.roundTrip();
  }

  #handOver(): void {
    const batch = this.#closed || this.#client.way.refusal?.refusal === 'unavailable' ? [] : this.#take();
    this.#busy = batch.length > 0;
    if (batch.length === 0) return;
    this.#sink.read(batch).then(() => {
      this.#busy = false;
      this.#topic.trim();
      this.arrived();
    });
  }

  #take(): ReadRecord[] {
    const batch: ReadRecord[] = [];
    let bytes = 0;
    for (const [partition, log] of this.#topic.logs.entries()) {
      bytes = this.#takeFrom(partition, log, batch, bytes);
    }
    return batch;
  }

  /** Returns how many bytes the batch has now. */
  #takeFrom(partition: number, log: Log, batch: ReadRecord[], before: number): number {
    let bytes = before;
    let offset = log.seek(this.#positions[partition] as number);
    for (; offset < log.end && batch.length < BATCH.records; offset = log.seek(offset + 1)) {
      const message = log.get(offset) as MessageFields;
      if (batch.length > 0 && bytes + message.body.length > BATCH.bytes) break;
      bytes += message.body.length;
      batch.push(readable(message, positionOf(partition, offset)));
    }
    this.#positions[partition] = offset;
    return bytes;
  }
}
