import type { IncomingRecord, Source } from '@anymq/core/adapter';
import type { DecodedMessage, NativeDelivery } from '../codec.js';

/** A message that is leased to us. */
export interface Entry extends IncomingRecord {
  readonly batch: Batch;
  readonly messageId: string;
  /** Changes with every renewal of the lease. */
  receiptHandle: string;
  /** Monotonic milliseconds. */
  leaseUntil: number;
  /** Core is done with it. */
  settled: boolean;
  /** The broker knows that. */
  acknowledged: boolean;
  /** A renewal is under way: the handle is about to change, no acknowledgement may be written with the old one. */
  renewing: boolean;
  /** The last word about failed calls on its way to the broker; undefined when none was noted or read. */
  noting: Promise<void> | undefined;
}

/** What one poll brought: one period of ownership. */
export interface Batch {
  readonly source: Source;
  readonly entries: Entry[];
  /** Entries that the broker does not know to be done. */
  unacknowledged: number;
  over: boolean;
}

export function toEntry(
  batch: Batch,
  delivery: NativeDelivery,
  decoded: DecodedMessage,
  { attempts, leaseUntil }: { readonly attempts: number; readonly leaseUntil: number },
): Entry {
  return {
    source: batch.source,
    position: delivery.position,
    ...decoded,
    attempts,
    redelivered: delivery.deliveryAttempt > 1,
    batch,
    messageId: delivery.messageId,
    receiptHandle: delivery.receiptHandle,
    leaseUntil,
    settled: false,
    acknowledged: false,
    renewing: false,
    noting: attempts > 0 ? Promise.resolve() : undefined,
  };
}
