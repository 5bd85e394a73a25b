import type { IncomingRecord } from '../adapter/spi.js';
import type { CoreDelivery } from './delivery.js';
import type { Lane } from './lanes.js';
import type { Ownership } from './ownership.js';

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
  /** What the handler call in progress, or the last one, got. */
  delivery: CoreDelivery | undefined;

  constructor(record: IncomingRecord, lane: Lane | undefined, since: number) {
    this.record = record;
    this.source = record.source as Ownership;
    this.lane = lane;
    this.attempts = record.attempts;
    this.since = since;
  }
}
