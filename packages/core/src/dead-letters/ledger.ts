import type { OutgoingRecord, ReadRecord, TopicSpec } from '../adapter/spi.js';
import { ask, orStopped, PATIENCE_MS } from '../system/ask.js';
import { readLedger } from '../system/reading.js';
import type { System } from '../system/system.js';
import { ledgerOf } from '../system/topics.js';
import type { DeadLetter } from './contract.js';
import { isRemoval, letterFrom, letterRecord, type Origin, removalRecord } from './record.js';

/** Where the letters of one group on one topic are kept: what was written and not removed since. */
export class Ledger {
  readonly origin: Origin;
  readonly system: System;
  readonly #spec: TopicSpec;

  constructor(system: System, origin: Origin) {
    this.system = system;
    this.origin = origin;
    this.#spec = ledgerOf(origin.topic, origin.group);
  }

  /**
   * What `take` makes of each letter there is, by id, in the order of first writing. Creates nothing, and keeps nothing but that.
   *
   * @param wanted which ids to look at
   */
  async letters<T>(
    wanted: (id: string) => boolean,
    take: (letter: DeadLetter) => T,
    stop: AbortSignal,
  ): Promise<Map<string, T>> {
    const letters = new Map<string, T>();
    const fold = (record: ReadRecord): void => {
      if (!wanted(record.id)) return;
      if (isRemoval(record)) letters.delete(record.id);
      else {
        const letter = letterFrom(record, this.origin);
        if (letter !== undefined) letters.set(record.id, take(letter));
      }
    };
    if (await this.exists(stop)) await readLedger(this.system, this.#spec, fold, stop);
    return letters;
  }

  /** Resolves when it is stored. */
  write(letter: DeadLetter): Promise<void> {
    return this.send(this.#spec, letterRecord(this.#spec, letter));
  }

  /** Resolves when that is stored. */
  remove({ id }: DeadLetter): Promise<void> {
    return this.send(this.#spec, removalRecord(this.#spec, id, this.system.broker.runtime.clock.now()));
  }

  /** Sends to any topic of the ledger's broker; a caller's signal does not cut that short, only the end of the messaging does. */
  async send(spec: TopicSpec, record: OutgoingRecord): Promise<void> {
    const { closing, post } = this.system;
    closing.throwIfAborted();
    await orStopped(post.send(spec, record, { timeoutMs: PATIENCE_MS }), closing);
  }

  /** Has any letter been written? */
  exists(stop: AbortSignal): Promise<boolean> {
    const { name } = this.#spec;
    return ask(this.system, (adapter) => adapter.exists(this.#spec), `ask for topic '${name}'`, stop);
  }
}
