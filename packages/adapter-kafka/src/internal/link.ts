import { type Clock, MessagingError } from '@anymq/core/adapter';
import { settledWithin } from './bounded.js';
import type { Sockets } from './sockets.js';
import type { Broker, Cluster, PartitionLeader } from './wire.js';

/** How long closing waits for answers under way. */
const CLOSE_MS = 1_000;

/** Connections to the brokers of a cluster: one for requests and one for fetches to each. */
export class Link {
  readonly #cluster: Cluster;
  readonly #sockets: Sockets;
  readonly #clock: Clock;
  readonly #ended: () => void;
  #closing: Promise<void> | undefined;

  constructor(cluster: Cluster, sockets: Sockets, clock: Clock, ended: () => void) {
    this.#cluster = cluster;
    this.#sockets = sockets;
    this.#clock = clock;
    this.#ended = ended;
  }

  /** Fresh from a broker. Rejects with `UNKNOWN_TOPIC_OR_PARTITION` where there is none, `LEADER_NOT_AVAILABLE` while it starts. */
  async leaders(topic: string): Promise<readonly PartitionLeader[]> {
    const answer = await this.#cluster.metadata({ topics: [topic] });
    const found = answer?.topicMetadata.find((each) => each.topic === topic);
    if (found === undefined) throw new KafkaUnavailable('no broker answered a metadata request');
    return found.partitionMetadata;
  }

  /** Whether {@link leaders} has told of it. */
  knows(nodeId: number): boolean {
    return this.#cluster.getNodeIds().some((known) => Number(known) === nodeId);
  }

  /** Connected. Ask again before each request: kafkajs does not reconnect safely inside one. */
  broker(nodeId: number): Promise<Broker> {
    return this.#cluster.findBroker({ nodeId });
  }

  /** Any that is known; {@link leaders} must have answered before. */
  async anyBroker(): Promise<Broker> {
    let failure: unknown = new KafkaUnavailable('no broker is known');
    for (const nodeId of this.#cluster.getNodeIds()) {
      try {
        return await this.#cluster.findBroker({ nodeId });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * One real request: a listener that wants credentials answers nothing else without them. Whatever a broker answers about
   * `topic`, which need not exist, is an answer.
   */
  async ping(topic: string): Promise<void> {
    try {
      await this.leaders(topic);
    } catch (error) {
      if (!isAnswer(error)) throw error;
    }
  }

  /** Gives up at once; everything under way rejects. */
  abort(reason: string): Promise<void> {
    this.#sockets.destroy(new Error(reason));
    return this.close();
  }

  /** Lets requests under way be answered, for a second. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#sockets.retire();
    await settledWithin(this.#clock, this.#cluster.disconnect(), CLOSE_MS);
    this.#sockets.destroy(new Error('the connection was closed'));
    this.#ended();
  }
}

/** Where a topic is concerned the broker was well enough to answer. */
const ANSWERS: ReadonlySet<unknown> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'TOPIC_AUTHORIZATION_FAILED',
]);

const isAnswer = (error: unknown): boolean => ANSWERS.has((error as { type?: unknown } | undefined)?.type);

/** No broker can be asked. */
class KafkaUnavailable extends Error {
  override readonly name = 'KafkaUnavailable';
}

const BROKER_CALLS = [
  'produce',
  'fetch',
  'listOffsets',
  'offsetFetch',
  'offsetCommit',
  'findGroupCoordinator',
  'joinGroup',
  'syncGroup',
  'heartbeat',
  'leaveGroup',
] as const satisfies readonly (keyof Broker)[];

/** A broker must have all the calls that are used: said at the first connection, not at the first rebalance. */
export function checkBroker(broker: Broker): void {
  const missing = BROKER_CALLS.filter((call) => typeof broker[call] !== 'function');
  if (missing.length === 0) return;
  const message = `This version of kafkajs has no ${missing.join(', ')} on its brokers. Install kafkajs 2.2.4.`;
  throw new MessagingError('INTERNAL', message, { adapter: 'kafka' });
}
