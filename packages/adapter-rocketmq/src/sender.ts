import type { AdapterRuntime, LaneLimits, OutgoingRecord, Sender, TopicSpec, WriteResult } from '@anymq/core/adapter';
import { encode, laneOf } from './codec.js';
import { certainlyNotStored, classify, fault } from './errors.js';
import type { Publisher } from './internal/calls.js';

/** The broker's limit on one request. */
const MAX_WRITE_BYTES = 4 * 1024 * 1024;

export interface SenderSettings {
  readonly runtime: AdapterRuntime;
  readonly publisher: Publisher;
  /** Sends under way at once: lanes of a keyed topic, writes of the one lane of another. */
  readonly concurrentSends: number;
}

/** The way to one topic. One message is one request: RocketMQ mixes up the properties of messages sent together. */
export class RocketmqSender implements Sender {
  readonly limits: LaneLimits;
  readonly #spec: TopicSpec;
  readonly #settings: SenderSettings;

  constructor(spec: TopicSpec, settings: SenderSettings) {
    this.#spec = spec;
    this.#settings = settings;
    const writes = spec.keyed ? 1 : settings.concurrentSends;
    this.limits = Object.freeze({ writes, records: 1, bytes: MAX_WRITE_BYTES });
  }

  laneOf({ key }: OutgoingRecord): number {
    if (key === undefined) return 0;
    return laneOf(key, this.#settings.concurrentSends);
  }

  async write(_lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const record of records) {
      // Behind one that is not certainly stored nothing may be: the order would be lost.
      const stopped = results.find(({ status }) => status !== 'stored');
      results.push(stopped === undefined ? await this.#one(record) : behind(stopped));
    }
    return results;
  }

  async close(): Promise<void> {}

  async #one(record: OutgoingRecord): Promise<WriteResult> {
    const { publisher, runtime } = this.#settings;
    try {
      return { status: 'stored', position: await publisher.send(encode(record, this.#spec, runtime.namespace)) };
    } catch (error) {
      return { status: certainlyNotStored(error) ? 'not-sent' : 'unknown', error: this.#explained(error) };
    }
  }

  /** We have created the topic: a proxy that does not know it has just been started, and will. */
  #explained(error: unknown): unknown {
    if (classify(error).code !== 'NOT_FOUND') return error;
    return fault('UNAVAILABLE', `The RocketMQ proxy does not know topic '${this.#spec.name}' (any more).`, error);
  }
}

function behind(stopped: WriteResult): WriteResult {
  return { status: 'not-sent', error: stopped.status === 'stored' ? undefined : stopped.error };
}
