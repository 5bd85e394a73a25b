import { type AdapterRuntime, HANDOVER_MS, messageOf, type Timer } from '@anymq/core/adapter';
import { codeOf, isLeaseLost } from '../errors.js';
import type { Batch, Entry } from './batch.js';
import type { Acknowledgement, Subscription } from './calls.js';
import type { Mutex } from './mutex.js';

/** Looks per lease: a renewal is due at half. */
const LOOKS = 6;
const MAX_CALLS = 16;
/** Leases that end almost together are looked at together. */
const MIN_WAIT_MS = 20;
/** Soonest: zero kills the handle without a wake of those who wait. */
const AT_ONCE_MS = 1;

export interface LeasesSettings {
  readonly runtime: AdapterRuntime;
  readonly subscription: Subscription;
  readonly leaseMs: number;
  /** Held while handles change. */
  readonly handles: Mutex;
  /** What is leased to us. */
  readonly batches: ReadonlySet<Batch>;
  /** The renewal of an entry has ended that was settled meanwhile. */
  settled(entry: Entry): void;
  lost(batch: Batch, error: unknown): void;
  /** Its lease is about to run out: it comes again by itself. */
  ranOut(batch: Batch, error: unknown): void;
}

/** Keeps what is unsettled from coming again elsewhere, with a timer for all, and says when that has failed, with another one. */
export class Leases {
  readonly #settings: LeasesSettings;
  #timer: Timer | undefined;
  #ending: Timer | undefined;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(settings: LeasesSettings) {
    this.#settings = settings;
    this.#wait();
    this.#watch();
  }

  /** No renewal is under way any more when it resolves. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#ending?.cancel();
    return this.#looking;
  }

  /** Lets messages come again at once. Resolves with how many the broker did not take back: they come with their lease. */
  async giveBack(entries: readonly Acknowledgement[]): Promise<number> {
    const { runtime, subscription } = this.#settings;
    let failed = 0;
    await inParallel(entries, async (entry) => {
      try {
        await subscription.lease(entry, AT_ONCE_MS);
      } catch (error) {
        if (!isLeaseLost(Number(codeOf(error)))) failed++;
        runtime.log.debug(`A message could not be given back: ${messageOf(error)}`);
      }
    });
    return failed;
  }

  #wait(): void {
    const { runtime, leaseMs } = this.#settings;
    if (this.#stopped) return;
    this.#timer = runtime.clock.setTimer(leaseMs / LOOKS, () => {
      this.#looking = this.#settings.handles.run(() => this.#look()).then(() => this.#wait());
    });
  }

  async #look(): Promise<void> {
    const { runtime, leaseMs, batches } = this.#settings;
    const now = runtime.clock.monotonic();
    const due: Entry[] = [];
    for (const { entries } of batches) {
      for (const entry of entries) if (!entry.settled && entry.leaseUntil - now < leaseMs / 2) due.push(entry);
    }
    await inParallel(due, (entry) => this.#renew(entry));
  }

  /** Beside the renewals: these wait for a broker that does not answer. */
  #watch(): void {
    const { runtime, leaseMs } = this.#settings;
    const soonest = this.#end(runtime.clock.monotonic());
    const wait = Math.max(MIN_WAIT_MS, Math.min(leaseMs / LOOKS, soonest));
    this.#ending = runtime.clock.setTimer(wait, () => this.#watch());
  }

  /** Ends what has run out. The milliseconds until the next does. */
  #end(now: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const batch of this.#settings.batches) {
      const left = leftOf(batch, now);
      if (left > 0) soonest = Math.min(soonest, left);
      else this.#settings.ranOut(batch, new Error(`A lease of ${batch.source.name} has run out.`));
    }
    return soonest;
  }

  async #renew(entry: Entry): Promise<void> {
    if (this.#stopped || entry.settled || entry.batch.over) return;
    const { runtime, subscription, leaseMs, settled, lost } = this.#settings;
    const began = runtime.clock.monotonic();
    entry.renewing = true;
    try {
      entry.receiptHandle = await subscription.lease(entry, leaseMs);
      entry.leaseUntil = began + leaseMs;
    } catch (error) {
      if (isLeaseLost(Number(codeOf(error)))) lost(entry.batch, error);
      else runtime.log.debug(`The lease of message ${entry.position} is renewed again later: ${messageOf(error)}`);
    }
    entry.renewing = false;
    if (entry.settled) settled(entry);
  }
}

/** Milliseconds for which a batch is ours. Who handles something of it must have ended before the broker gives it to others. */
export function leftOf({ entries }: Batch, now: number): number {
  let left = Number.POSITIVE_INFINITY;
  for (const { acknowledged, settled, leaseUntil } of entries) {
    if (!acknowledged) left = Math.min(left, leaseUntil - now - (settled ? 0 : HANDOVER_MS));
  }
  return left;
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) await run(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CALLS, items.length) }, work));
}
