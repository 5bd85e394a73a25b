import type { IncomingRecord } from '../adapter/spi.js';
import type { CoreDelivery } from './delivery.js';
import type { Lane } from './lanes.js';
import type { Ownership } from './ownership.js';
import { ParcelRecord } from './parcel-record.js';

/** One received record until it is settled. */
export class Work {
  readonly record: IncomingRecord;
  readonly source: Ownership;
  /** Undefined: nothing must wait for it. */
  readonly lane: Lane | undefined;
  /** Handler calls that have failed. */
  attempts: number;
  /** When it came, on the clock's monotonic time. */
  readonly since: number;
  /** No handler may be called for it before, on the clock's monotonic time. */
  due: number;
  /** When a call failed first, as far as is known, milliseconds since the Unix epoch. */
  firstFailed: number | undefined;
  /** What the handler call in progress, or the last one, got. */
  delivery: CoreDelivery | undefined;

  /** The next of its key. A link here instead of a queue for each lane: most keys never wait, and a lane is made per burst. */
  next: Work | undefined;

  constructor(record: IncomingRecord, lane: Lane | undefined, since: number) {
    this.record = record;
    this.source = record.source as Ownership;
    this.lane = lane;
    this.attempts = record.attempts;
    this.since = since;
    this.due = since;
    // All are given now, so that every Work has one shape.
    this.firstFailed = record instanceof ParcelRecord ? record.note.firstFailed : undefined;
    this.delivery = undefined;
    this.next = undefined;
  }
}
