import { type AdapterRuntime, messageOf, type Timer } from '@anymq/core/adapter';
import { codeOf, isLeaseLost } from '../errors.js';
import type { Batch, Entry } from './batch.js';
import type { Acknowledgement, Subscription } from './calls.js';
import type { Mutex } from './mutex.js';

/** Looks per lease: a renewal is due at half. */
const LOOKS = 6;
const MAX_CALLS = 16;
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
}

/** Keeps what is unsettled from coming again elsewhere, with one timer for all. */
export class Leases {
  readonly #settings: LeasesSettings;
  #timer: Timer | undefined;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(settings: LeasesSettings) {
    this.#settings = settings;
    this.#wait();
  }

  /** No renewal is under way any more when it resolves. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
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
    const { runtime, leaseMs, batches, lost } = this.#settings;
    const now = runtime.clock.monotonic();
    const due: Entry[] = [];
    for (const batch of batches) {
      for (const entry of batch.entries) {
        if (entry.settled) continue;
        if (now >= entry.leaseUntil) lost(batch, new Error(`The lease of message ${entry.position} has run out.`));
        else if (entry.leaseUntil - now < leaseMs / 2) due.push(entry);
      }
    }
    await inParallel(due, (entry) => this.#renew(entry));
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

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) await run(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CALLS, items.length) }, work));
}
