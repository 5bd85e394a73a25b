import type { Backoff, Sender, WriteResult } from '../adapter/spi.js';
import { Queue } from '../queue.js';
import type { Pending } from './pending.js';

export type Failure = { readonly pending: Pending; readonly result: Exclude<WriteResult, { status: 'stored' }> };

const noResult = (): WriteResult => ({
  status: 'unknown',
  error: new Error('the adapter gave no result for this record'),
});

/**
 * What must be stored in order: one partition, one channel, one message group. Writes at once when free; what arrives while
 * writes are under way forms the next batch. After a failure it lets all writes answer, then hands what failed back in order.
 */
export class Lane {
  readonly #sender: Sender;
  readonly #index: number;
  readonly #recover: (lane: Lane, failures: readonly Failure[]) => void;
  readonly #queue = new Queue<Pending>();
  readonly #writes = new Set<readonly Pending[]>();
  #failures: Failure[] = [];
  #held = false;
  /** Something was pushed that nobody has pumped yet. */
  fresh = false;
  /** Grows while writes fail in a row. */
  backoff: Backoff | undefined;

  /** @param recover gets everything that failed, in the order of the sends, when no write of the lane is under way */
  constructor(sender: Sender, index: number, recover: (lane: Lane, failures: readonly Failure[]) => void) {
    this.#sender = sender;
    this.#index = index;
    this.#recover = recover;
  }

  push(pending: Pending): void {
    this.#queue.push(pending);
  }

  /** Writes as much as the lane may have under way. */
  pump(): void {
    this.fresh = false;
    const { writes } = this.#sender.limits;
    while (!this.#held && this.#failures.length === 0 && this.#writes.size < writes) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#write(batch);
    }
  }

  /** Everything that is queued or under way, for deadlines. */
  *pending(): Iterable<Pending> {
    yield* this.#queue;
    for (const batch of this.#writes) yield* batch;
  }

  /** Puts `pendings` before everything else and writes nothing until {@link release}. */
  hold(pendings: readonly Pending[]): void {
    this.#queue.unshift(pendings);
    this.#held = true;
  }

  /** Ends a hold and gives everything queued back, in order, for the lanes to be chosen again. */
  release(): Pending[] {
    this.#held = false;
    return this.#queue.retain(() => false);
  }

  #take(): Pending[] {
    const { records, bytes } = this.#sender.limits;
    const batch: Pending[] = [];
    let size = 0;
    for (let next = this.#queue.peek(); next !== undefined && batch.length < records; next = this.#queue.peek()) {
      size += next.record.body.length;
      if (size > bytes && batch.length > 0) break;
      this.#queue.shift();
      if (next.settled) size -= next.record.body.length;
      else batch.push(next);
    }
    return batch;
  }

  #write(batch: readonly Pending[]): void {
    for (const pending of batch) pending.writing();
    this.#writes.add(batch);
    const records = batch.map((pending) => pending.record);
    this.#sender.write(this.#index, records).then(
      (results) => this.#written(batch, results),
      // The contract forbids a rejection; if an adapter breaks it, nothing is known about the batch.
      (error) =>
        this.#written(
          batch,
          batch.map(() => ({ status: 'unknown', error })),
        ),
    );
  }

  #written(batch: readonly Pending[], results: readonly WriteResult[]): void {
    this.#writes.delete(batch);
    for (let i = 0; i < batch.length; i++) {
      const pending = batch[i] as Pending;
      const result = results[i] ?? noResult();
      if (result.status === 'stored') pending.stored(result.position);
      else this.#failures.push({ pending, result });
    }
    if (this.#failures.length === 0) {
      this.backoff = undefined;
      this.pump();
      return;
    }
    if (this.#writes.size > 0) return;
    const failures = this.#failures.sort((a, b) => a.pending.call.sequence - b.pending.call.sequence);
    this.#failures = [];
    this.#recover(this, failures);
    this.pump();
  }
}
