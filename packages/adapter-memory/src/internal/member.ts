import type { ByteCredit, IncomingRecord, ReceiverSink } from '@anymq/core/adapter';
import type { MemoryRecord } from '../codec.js';
import type { Group } from './group.js';
import type { Schedule } from './scheduler.js';
import type { Ownership } from './share.js';

/** Messages taken from one share before the next one has its turn. */
const CHUNK = 64;

/** One receiver's membership in a group: owns shares, and delivers from them within its credit. */
export class Member {
  readonly group: Group;
  readonly sink: ReceiverSink;
  /** Broker's monotonic time of the last sign of life. */
  renewedAt = 0;
  /** False before it joined, after it left, and after its lease ran out. */
  live = false;
  /** What it lost with its lease and has not been told: it learns of it when it shows a sign of life again. */
  expired: Ownership[] = [];
  readonly #schedule: Schedule;
  #credit = 0;
  readonly #bytes: ByteCredit;
  /** Shares with something to deliver, in turns. */
  #ready: Ownership[] = [];
  #waking = false;
  readonly #deliver = (): void => this.#handOver();

  constructor(group: Group, sink: ReceiverSink, bytes: ByteCredit, schedule: Schedule) {
    this.group = group;
    this.sink = sink;
    this.#bytes = bytes;
    this.#schedule = schedule;
  }

  credit(records: number, bytes: number): void {
    this.#credit += records;
    this.#bytes.add(bytes);
    if (this.#ready.length > 0) this.#wake();
  }

  /** There may be something to deliver. */
  offer(ownership: Ownership): void {
    if (ownership.queued || ownership.draining !== undefined) return;
    ownership.queued = true;
    this.#ready.push(ownership);
    if (this.#credit > 0) this.#wake();
  }

  /** Settlements of an epoch that is over are refused: the message is somebody else's. */
  settle(records: readonly IncomingRecord[]): void {
    // Core hands back the very objects it was given.
    for (const { ownership, offset } of records as readonly MemoryRecord[]) {
      if (!ownership.over) ownership.share.cursor.settle(offset);
    }
    this.group.topic.settled(records.length);
  }

  hold(record: IncomingRecord, attempts: number): void {
    const { ownership, offset } = record as MemoryRecord;
    if (!ownership.over) ownership.share.cursor.hold(offset, attempts);
  }

  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    this.#schedule(this.#deliver);
  }

  #handOver(): void {
    this.#waking = false;
    const batch: IncomingRecord[] = [];
    while (batch.length < this.#credit) {
      const ownership = this.#ready.shift();
      if (ownership === undefined || !this.#takeFrom(ownership, batch)) break;
    }
    if (batch.length === 0) return;
    this.#credit -= batch.length;
    this.sink.deliver(batch);
  }

  /** False when the bytes do not suffice for its next message: nobody overtakes it, or it might wait for ever. */
  #takeFrom(ownership: Ownership, batch: IncomingRecord[]): boolean {
    ownership.queued = false;
    if (ownership.over || ownership.draining !== undefined) return true;
    const fits = ownership.share.take(ownership, batch, Math.min(CHUNK, this.#credit - batch.length), this.#bytes);
    if (!ownership.share.ready) return true;
    ownership.queued = true;
    if (fits) this.#ready.push(ownership);
    else this.#ready.unshift(ownership);
    return fits;
  }
}
