import { MessagingError, type OutgoingRecord, type Sender, type WriteResult } from '@anymq/core/adapter';
import { MemoryFault } from './errors.js';
import type { StoredTopic } from './internal/topic.js';
import type { Way } from './internal/way.js';

/** A partition takes one write after the other, so its order is the order of the writes. */
const LIMITS = Object.freeze({ writes: 1, records: 1_000, bytes: 16 * 1024 * 1024 });

export class MemorySender implements Sender {
  readonly limits = LIMITS;
  readonly #way: Way;
  /** As it was when it was last there: somebody may delete it, and make it again. */
  #topic: StoredTopic;
  #turn = 0;

  constructor(way: Way, topic: StoredTopic) {
    this.#way = way;
    this.#topic = topic;
  }

  laneOf({ key }: OutgoingRecord): number {
    return key === undefined ? this.#turn++ % this.#topic.logs.length : this.#topic.partitionOf(key);
  }

  /** Two hops, as over a network: a message can reach its group before its sender knows that it was stored. */
  write(lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    return new Promise((resolve) => {
      const { engine } = this.#way;
      engine.schedule(() => {
        const results = this.#store(lane, records);
        engine.schedule(() => resolve(this.#answer(results)));
      });
    });
  }

  async close(): Promise<void> {}

  #store(lane: number, records: readonly OutgoingRecord[]): readonly WriteResult[] {
    const error = this.#refusal();
    if (error !== undefined) return records.map(() => ({ status: 'not-sent', error }));
    const results: WriteResult[] = [];
    // The lane was chosen in the topic that was there then.
    const partition = lane % this.#topic.logs.length;
    for (const record of records) {
      const position = this.#topic.append(partition, record);
      results.push({ status: 'stored', position });
    }
    this.#topic.announce(partition);
    return results;
  }

  /** The way was cut after the broker had stored: nobody hears of it. */
  #answer(results: readonly WriteResult[]): readonly WriteResult[] {
    const error = this.#way.refusal;
    if (error?.refusal !== 'unavailable') return results;
    return results.map((result) => (result.status === 'stored' ? { status: 'unknown', error } : result));
  }

  #refusal(): Error | undefined {
    if (this.#way.refusal !== undefined) return this.#way.refusal;
    const there = this.#way.engine.find(this.#topic.name);
    if (there === undefined) return new MemoryFault('missing', `topic '${this.#topic.name}' was deleted`);
    this.#topic = there;
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
