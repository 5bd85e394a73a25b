import { MessagingError, type OutgoingRecord, type Sender, type WriteResult } from '@anymq/core/adapter';
import { MemoryFault } from './errors.js';
import type { Engine } from './internal/engine.js';
import type { StoredTopic } from './internal/topic.js';

/** A partition takes one write after the other, so its order is the order of the writes. */
const LIMITS = Object.freeze({ writes: 1, records: 1_000, bytes: 16 * 1024 * 1024 });

export class MemorySender implements Sender {
  readonly limits = LIMITS;
  readonly #engine: Engine;
  readonly #topic: StoredTopic;
  #turn = 0;

  constructor(engine: Engine, topic: StoredTopic) {
    this.#engine = engine;
    this.#topic = topic;
  }

  laneOf({ key }: OutgoingRecord): number {
    return key === undefined ? this.#turn++ % this.#topic.logs.length : this.#topic.partitionOf(key);
  }

  /** Two hops, as over a network: a message can reach its group before its sender knows that it was stored. */
  write(lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    return new Promise((resolve) => {
      this.#engine.schedule(() => {
        const results = this.#store(lane, records);
        this.#engine.schedule(() => resolve(results));
      });
    });
  }

  async close(): Promise<void> {}

  #store(partition: number, records: readonly OutgoingRecord[]): readonly WriteResult[] {
    const error = this.#refusal();
    if (error !== undefined) return records.map(() => ({ status: 'not-sent', error }));
    const results: WriteResult[] = [];
    for (const record of records) {
      const position = this.#topic.append(partition, record);
      results.push({ status: 'stored', position });
    }
    this.#topic.announce(partition);
    return results;
  }

  #refusal(): Error | undefined {
    if (this.#engine.refusal !== undefined) return this.#engine.refusal;
    const { name, unroutable, full, bytes } = this.#topic;
    if (unroutable) {
      const message = `Topic '${name}' keeps no history and has no group, so nobody would get the message. Start a consumer first, or define the topic with history 'full'.`;
      return new MessagingError('UNROUTABLE', message, { adapter: 'memory' });
    }
    if (!full) return undefined;
    return new MemoryFault(
      'full',
      `topic '${name}' holds ${bytes} bytes that groups have yet to settle, all that historyMaxBytes and backlogMaxBytes allow`,
    );
  }
}
