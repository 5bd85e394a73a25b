import type {
  AdapterRuntime,
  LaneLimits,
  OutgoingRecord,
  Sender,
  Timer,
  TopicSpec,
  WriteResult,
} from '@anymq/core/adapter';
import { encodeRecord } from './codec.js';
import { certainlyNotStored, isStaleLeader, KafkaFault, typeOf } from './errors.js';
import { LATE, within } from './internal/bounded.js';
import type { Leaders } from './internal/leaders.js';
import { Partitioner } from './internal/partitioner.js';
import type { Lease, SharedLink } from './internal/shared-link.js';
import { positionOf } from './names.js';

/** All in-sync replicas. */
const ALL = -1;
/** Just below what the contract allows a write to take. */
const WRITE_MS = 29_000;
/** A topic that has grown is noticed within this. */
const REFRESH_MS = 60_000;

/** One write at a time keeps a partition's order; 100 records are where kafkajs is fastest. A broker takes 1 MiB at once. */
const LIMITS: LaneLimits = Object.freeze({ writes: 1, records: 100, bytes: 900_000 });

export interface SenderSettings {
  readonly runtime: AdapterRuntime;
  readonly topic: TopicSpec;
  /** Of the topic on the broker. */
  readonly name: string;
  readonly links: SharedLink;
  /** Known. */
  readonly leaders: Leaders;
  readonly compression: number;
  readonly requestTimeoutMs: number;
}

/** Lanes are partitions. */
export class KafkaSender implements Sender {
  readonly limits = LIMITS;
  readonly #settings: SenderSettings;
  readonly #partitioner: Partitioner;
  #refreshedAt: number;
  #refresh: Timer | undefined;
  #closed = false;

  constructor(settings: SenderSettings) {
    const { clock, random } = settings.runtime;
    this.#settings = settings;
    // Senders of many processes begin at different partitions.
    this.#partitioner = new Partitioner(settings.leaders.count, Math.floor(random() * settings.leaders.count));
    this.#refreshedAt = clock.monotonic();
  }

  laneOf(record: OutgoingRecord): number {
    return this.#partitioner.partitionOf(record);
  }

  async write(lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    this.#partitioner.began(lane);
    try {
      return await this.#write(lane, records);
    } finally {
      this.#partitioner.ended(lane);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#refresh?.cancel();
  }

  async #write(lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    const lease = this.#settings.links.lease();
    const state = { sent: false };
    try {
      const answer = await within(this.#settings.runtime.clock, this.#produce(lease, lane, records, state), WRITE_MS);
      if (answer === LATE) throw new KafkaFault('TIMEOUT', true, `no broker answered within ${WRITE_MS} ms`);
      lease.release(false);
      this.#refreshSometimes();
      return records.map((_, i) => ({ status: 'stored', position: positionOf(lane, answer + i) }));
    } catch (error) {
      return this.#failed(error, state.sent, lease, records);
    }
  }

  /** Offset of the first record. */
  async #produce(
    { link }: Lease,
    lane: number,
    records: readonly OutgoingRecord[],
    state: { sent: boolean },
  ): Promise<number> {
    const { name, topic, runtime, compression, requestTimeoutMs, leaders } = this.#settings;
    const now = runtime.clock.now();
    const messages = records.map((record) => encodeRecord(record, topic, runtime.namespace, now));
    const broker = await leaders.broker(link, lane);
    state.sent = true;
    const { topics } = await broker.produce({
      acks: ALL,
      // The broker gives up waiting for its replicas, and says so, before we stop listening.
      timeout: Math.floor(requestTimeoutMs * 0.8),
      compression,
      topicData: [{ topic: name, partitions: [{ partition: lane, messages }] }],
    });
    const stored = topics
      .find((each) => each.topicName === name)
      ?.partitions.find((each) => each.partition === lane && each.errorCode === 0);
    if (stored !== undefined) return Number(stored.baseOffset);
    throw new KafkaFault(
      'UNAVAILABLE',
      true,
      `the answer to a write to partition ${lane} of '${name}' does not name it`,
    );
  }

  async #failed(
    error: unknown,
    sent: boolean,
    lease: Lease,
    records: readonly OutgoingRecord[],
  ): Promise<readonly WriteResult[]> {
    const notSent = !sent || certainlyNotStored(error);
    // After anything but a broker's own answer the connection is not to be trusted.
    lease.release(typeOf(error) === '');
    const reason = isStaleLeader(error) ? await this.#lookAgain(error) : error;
    const result: WriteResult = { status: notSent ? 'not-sent' : 'unknown', error: reason };
    return records.map(() => result);
  }

  /** A broker that does not know a partition may only be behind: the topic is gone when the cluster says so. */
  async #lookAgain(error: unknown): Promise<unknown> {
    try {
      await this.#refreshLeaders();
      return new KafkaFault('UNAVAILABLE', true, `the leader of a partition of '${this.#settings.name}' moved`, error);
    } catch (failure) {
      return failure;
    }
  }

  async #refreshLeaders(): Promise<void> {
    const { links, leaders, runtime } = this.#settings;
    const lease = links.lease();
    let broken = true;
    try {
      await leaders.refresh(lease.link);
      broken = false;
      this.#refreshedAt = runtime.clock.monotonic();
      this.#partitioner.resize(leaders.count);
    } finally {
      lease.release(broken);
    }
  }

  /** Beside the writes, so that a topic that has grown is used in full. */
  #refreshSometimes(): void {
    const { clock, log } = this.#settings.runtime;
    if (this.#closed || this.#refresh !== undefined || clock.monotonic() - this.#refreshedAt < REFRESH_MS) return;
    this.#refresh = clock.setTimer(0, () => {
      this.#refreshLeaders()
        .catch((error) => log.debug(`Cannot refresh the partitions of '${this.#settings.name}'.`, { error }))
        .finally(() => {
          this.#refresh = undefined;
        });
    });
  }
}
