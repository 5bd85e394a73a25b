import type { HandlerCalls, Result } from './calls.js';
import type { DeduplicationStore } from './deduplication-store.js';
import { Gather } from './gather.js';
import type { Work } from './work.js';

const SUPPRESSED: Result = Object.freeze({ kind: 'ack' });
const UNTOUCHED: Result = Object.freeze({ kind: 'untouched' });
const POSTPONED: Result = Object.freeze({ kind: 'postponed' });

type Call = (fresh: readonly Work[]) => Promise<readonly Result[]>;

export interface DeduplicationSettings {
  readonly store: DeduplicationStore;
  readonly scope: string;
  /** Resolves when a handler may begin, with false when it never may. */
  mayStart(work: Work): Promise<boolean>;
  /** Acknowledged without a call. */
  suppressed(work: Work): void;
  /** Handled, but the store does not know it: a copy that comes later is handled too. */
  notRecorded(work: Work, error: unknown): void;
}

/**
 * Calls handlers only for messages whose id their group has not handled: asks the store before a call, and tells it after the
 * acknowledgement. Copies that are here at the same time wait for each other. Nothing here throws or rejects.
 */
export class DeduplicatedCalls implements HandlerCalls {
  readonly #calls: HandlerCalls;
  readonly #settings: DeduplicationSettings;
  readonly #seen: Gather<boolean>;
  readonly #record: Gather<void>;
  /** Ids in somebody's hands, until they are not. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(calls: HandlerCalls, settings: DeduplicationSettings) {
    this.#calls = calls;
    this.#settings = settings;
    const { store, scope } = settings;
    this.#seen = new Gather(async (ids) => store.seen(scope, ids));
    this.#record = new Gather(async (ids) => {
      await store.record(scope, ids);
      return ids.map(() => undefined);
    });
  }

  async one(work: Work): Promise<Result> {
    const [result] = await this.many([work], async ([first]) => [await this.#calls.one(first as Work)]);
    return result as Result;
  }

  async many(works: readonly Work[], call: Call = (fresh) => this.#calls.many(fresh)): Promise<readonly Result[]> {
    // Of copies in one batch the first goes, and the others follow it.
    const firsts = new Map(works.toReversed().map((work) => [work.record.id, work]));
    for (let other = this.#other(firsts); other !== undefined; other = this.#other(firsts)) await other;
    const results = new Map<Work, Result>();
    const handling = this.#handle([...firsts.values()].toReversed(), results, call);
    const over = handling.finally(() => {
      for (const id of firsts.keys()) this.#running.delete(id);
    });
    for (const id of firsts.keys()) this.#running.set(id, over);
    await over;
    return works.map(
      (work) => results.get(work) ?? this.#follow(work, results.get(firsts.get(work.record.id) as Work)),
    );
  }

  /** Who has one of them in his hands. */
  #other(firsts: ReadonlyMap<string, Work>): Promise<void> | undefined {
    for (const id of firsts.keys()) {
      const other = this.#running.get(id);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #follow(copy: Work, result: Result | undefined): Result {
    if (result?.kind !== 'ack') return POSTPONED;
    this.#settings.suppressed(copy);
    return SUPPRESSED;
  }

  async #handle(works: readonly Work[], results: Map<Work, Result>, call: Call): Promise<void> {
    const known = await Promise.all(works.map((work) => this.#known(work)));
    const unseen = works.filter((_, at) => known[at] === undefined);
    for (const [at, work] of works.entries()) results.set(work, known[at] ?? UNTOUCHED);
    const starts = await Promise.all(unseen.map((work) => this.#settings.mayStart(work)));
    const fresh = unseen.filter((_, at) => starts[at]);
    const outcomes = fresh.length === 0 ? [] : await call(fresh);
    for (const [at, work] of fresh.entries()) results.set(work, outcomes[at] as Result);
    await this.#tell(fresh.filter((_, at) => outcomes[at]?.kind === 'ack'));
  }

  /** Undefined: nobody has handled it. */
  async #known(work: Work): Promise<Result | undefined> {
    try {
      if (!(await this.#seen.get(work.record.id))) return undefined;
      this.#settings.suppressed(work);
      return SUPPRESSED;
    } catch (error) {
      return { kind: 'postponed', error };
    }
  }

  async #tell(works: readonly Work[]): Promise<void> {
    const told = await Promise.allSettled(works.map(({ record }) => this.#record.get(record.id)));
    for (const [at, outcome] of told.entries())
      if (outcome.status === 'rejected') this.#settings.notRecorded(works[at] as Work, outcome.reason);
  }
}
