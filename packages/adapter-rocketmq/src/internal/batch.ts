import type { IncomingRecord, Source } from '@anymq/core/adapter';
import type { DecodedMessage, NativeDelivery } from '../codec.js';

/** A message that is leased to us. */
export interface Entry extends IncomingRecord {
  readonly batch: Batch;
  readonly messageId: string;
  readonly queue: string;
  readonly offset: number;
  /** Changes with every renewal of the lease. */
  receiptHandle: string;
  /** Monotonic milliseconds. */
  leaseUntil: number;
  /** Core is done with it. */
  settled: boolean;
  /** The broker was told. */
  acknowledged: boolean;
  /** The broker has not forgotten that: what a later answer of the same queue does not reach is new to it again. */
  confirmed: boolean;
  /** A renewal is under way: the handle is about to change, no acknowledgement may be written with the old one. */
  renewing: boolean;
  /** There may be a note about it on the name servers. */
  noted: boolean;
}

/** What one poll brought: one period of ownership. */
export interface Batch {
  readonly source: Source;
  readonly entries: Entry[];
  /** Entries that the broker does not know to be done. */
  unacknowledged: number;
  over: boolean;
  /** Over because it is not ours any more. */
  lost: boolean;
}

/** What is known about a delivery beside itself. */
export interface Lease {
  /** Failed calls before; negative: it was settled before. */
  readonly attempts: number;
  /** Monotonic milliseconds. */
  readonly until: number;
}

export function toEntry(batch: Batch, delivery: NativeDelivery, decoded: DecodedMessage, lease: Lease): Entry {
  return {
    source: batch.source,
    position: delivery.messageId,
    ...decoded,
    attempts: Math.max(0, lease.attempts),
    redelivered: delivery.deliveryAttempt > 1 || lease.attempts !== 0,
    batch,
    messageId: delivery.messageId,
    queue: delivery.queue,
    offset: delivery.offset,
    receiptHandle: delivery.receiptHandle,
    leaseUntil: lease.until,
    settled: false,
    acknowledged: false,
    confirmed: false,
    renewing: false,
    noted: lease.attempts !== 0,
  };
}
