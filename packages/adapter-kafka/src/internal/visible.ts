import type { FetchedPartition, StoredRecord } from './wire.js';

/** Key of the marker that ends an aborted transaction: version 0, type 0. */
const ABORT_MARKER = Buffer.from([0, 0, 0, 0]);

/** The messages at and above `from`: no transaction markers, nothing of aborted transactions. */
export function visibleRecords(fetched: FetchedPartition, from: number): StoredRecord[] {
  const aborted = new AbortedTransactions(fetched.abortedTransactions ?? []);
  return fetched.messages.filter((record) => {
    // Asked of every record, also of those below `from`: the marker that ends a transaction may be among them.
    const hidden = aborted.hides(record);
    return !hidden && !record.isControlRecord && Number(record.offset) >= from;
  });
}

/**
 * Where to fetch next; 0 when nothing came. Beyond the end of the last batch, not its last record: compaction takes records
 * out of a batch that keeps its end, and the broker would answer with the same batch for ever.
 */
export function endOf({ messages }: FetchedPartition): number {
  const last = messages.at(-1);
  if (last === undefined) return 0;
  const { firstOffset, lastOffsetDelta } = last.batchContext;
  const batchEnd =
    firstOffset === undefined || lastOffsetDelta === undefined ? 0 : Number(firstOffset) + lastOffsetDelta;
  return Math.max(Number(last.offset), batchEnd) + 1;
}

/** The broker lists aborted transactions by where they began; their markers say where they end. */
class AbortedTransactions {
  readonly #coming: { readonly producerId: string; readonly firstOffset: number }[];
  readonly #open = new Set<string>();

  constructor(aborted: readonly { readonly producerId: string; readonly firstOffset: string }[]) {
    this.#coming = aborted
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
      .sort((a, b) => b.firstOffset - a.firstOffset);
  }

  hides({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }: StoredRecord): boolean {
    if (this.#coming.length === 0 && this.#open.size === 0) return false;
    for (
      let next = this.#coming.at(-1);
      next !== undefined && Number(offset) >= next.firstOffset;
      next = this.#coming.at(-1)
    ) {
      this.#open.add(next.producerId);
      this.#coming.pop();
    }
    if (isControlRecord) {
      if (key?.equals(ABORT_MARKER)) this.#open.delete(producerId);
      return true;
    }
    return inTransaction && this.#open.has(producerId);
  }
}
