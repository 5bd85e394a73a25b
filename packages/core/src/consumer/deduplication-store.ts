import { type Clock, systemClock } from '../clock.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';

/**
 * Remembers which messages a group has handled. Share one among the members of a group; best is the database that the handlers
 * write to.
 */
export interface DeduplicationStore {
  /** @param scope what the ids belong to: `namespace/group/topic`. Resolves with an answer for each id, in order. */
  seen(scope: string, ids: readonly string[]): Promise<readonly boolean[]>;
  /** Called when handlers have acknowledged, before the broker is told. */
  record(scope: string, ids: readonly string[]): Promise<void>;
}

export interface MemoryDeduplicationStoreOptions {
  /** Ids that are remembered, over all scopes; the newest win. 1-10,000,000. @default 100_000 */
  readonly maxIds?: number;
  /** How long an id is remembered, milliseconds, 1-31,536,000,000 (a year). @default 3_600_000 */
  readonly ttlMs?: number;
  /** Where its time comes from. @default the machine's */
  readonly clock?: Clock;
}

const YEAR_MS = 31_536_000_000;

/** A store of one process: nothing is known to other members, nor after a restart. Throws `INVALID_ARGUMENT`. */
export function memoryDeduplicationStore(options: MemoryDeduplicationStoreOptions = {}): DeduplicationStore {
  const what = 'memoryDeduplicationStore()';
  checkObject(`${what} options`, options);
  onlyKnown(what, options, ['maxIds', 'ttlMs', 'clock']);
  const maxIds = integerIn('maxIds', options.maxIds, 1, 10_000_000, 100_000);
  const ttlMs = integerIn('ttlMs', options.ttlMs, 1, YEAR_MS, 3_600_000);
  return new MemoryStore(maxIds, ttlMs, options.clock ?? systemClock());
}

class MemoryStore implements DeduplicationStore {
  readonly #maxIds: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** Oldest first: when an id was recorded, on the clock's monotonic time. */
  readonly #recorded = new Map<string, number>();

  constructor(maxIds: number, ttlMs: number, clock: Clock) {
    this.#maxIds = maxIds;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  async seen(scope: string, ids: readonly string[]): Promise<readonly boolean[]> {
    this.#forget();
    return ids.map((id) => this.#recorded.has(`${scope}/${id}`));
  }

  async record(scope: string, ids: readonly string[]): Promise<void> {
    const now = this.#clock.monotonic();
    for (const id of ids) {
      const key = `${scope}/${id}`;
      this.#recorded.delete(key);
      this.#recorded.set(key, now);
    }
    this.#forget();
  }

  #forget(): void {
    const oldest = this.#clock.monotonic() - this.#ttlMs;
    for (const [key, at] of this.#recorded) {
      if (this.#recorded.size <= this.#maxIds && at > oldest) return;
      this.#recorded.delete(key);
    }
  }
}
