/**
 * The only file that touches kafkajs, and that only when a connection is made.
 *
 * kafkajs is used for what it does well: connections, TLS, SASL and the wire protocol. Its producer and its consumer are not
 * used, because their retries hide whether a write was sent, cannot be stopped and repeat commits in a later generation; the
 * broker objects underneath are, through the door that it publishes for partition assigners (`PartitionAssigner` gets a
 * `Cluster`, a `Cluster` finds `Broker`s). kafkajs is pinned to an exact version for that reason.
 */
import type { ConnectionOptions } from 'node:tls';
import { type Clock, MessagingError } from '@anymq/core/adapter';
import type { Admin, Kafka, KafkaConfig, logCreator, SASLOptions } from 'kafkajs';
import { settledWithin } from './internal/bounded.js';
import { Sockets } from './internal/sockets.js';
import type { ParsedOptions } from './options.js';

/** The broker's own clients: a plain kafkajs client with kafkajs's own retries, and a connected admin of it. */
export interface KafkaNative {
  readonly kafka: Kafka;
  readonly admin: Admin;
}

/** A record on its way out. */
export interface WireRecord {
  readonly key: string | null;
  readonly value: Buffer;
  /** Milliseconds, as text: kafkajs takes the number 0 for "now". */
  readonly timestamp: string;
  readonly headers: Record<string, string>;
}

/** A record on its way in. */
export interface StoredRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly headers: Readonly<Record<string, Buffer | Buffer[] | null | undefined>>;
  /** A transaction's marker, not a message. */
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchedPartition {
  readonly partition: number;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly StoredRecord[];
}

export interface PartitionLeader {
  readonly partitionId: number;
  readonly leader: number;
}

export interface JoinAnswer {
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

interface ByTopic<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface Member {
  readonly groupId: string;
  readonly memberId: string;
}

/** kafkajs's broker, as far as it is used here. Each call is one request to one broker, without retry. */
export interface Broker {
  produce(request: {
    acks: number;
    timeout: number;
    compression: number;
    topicData: readonly ByTopic<{ partition: number; messages: readonly WireRecord[] }>[];
  }): Promise<{
    topics: readonly {
      topicName: string;
      partitions: readonly { partition: number; errorCode: number; baseOffset: string }[];
    }[];
  }>;
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly ByTopic<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<{ responses: readonly { topicName: string; partitions: readonly FetchedPartition[] }[] }>;
  listOffsets(request: {
    replicaId: number;
    isolationLevel: number;
    topics: readonly ByTopic<{ partition: number; timestamp: number }>[];
  }): Promise<{ responses: readonly { partitions: readonly { partition: number; offset: string }[] }[] }>;
  offsetFetch(request: { groupId: string; topics: readonly ByTopic<{ partition: number }>[] }): Promise<{
    responses: readonly { partitions: readonly { partition: number; offset: string; metadata: string | null }[] }[];
  }>;
  offsetCommit(
    request: Member & {
      groupGenerationId: number;
      topics: readonly ByTopic<{ partition: number; offset: string; metadata: string }>[];
    },
  ): Promise<unknown>;
  findGroupCoordinator(request: { groupId: string; coordinatorType: number }): Promise<{
    coordinator: { nodeId: number };
  }>;
  joinGroup(
    request: Member & {
      sessionTimeout: number;
      rebalanceTimeout: number;
      groupProtocols: readonly { name: string; metadata: Buffer }[];
    },
  ): Promise<JoinAnswer>;
  syncGroup(
    request: Member & {
      generationId: number;
      groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    },
  ): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: Member & { groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: Member): Promise<unknown>;
}

interface Cluster {
  getNodeIds(): readonly (number | string)[];
  findBroker(node: { nodeId: number | string }): Promise<Broker>;
  metadata(request: { topics: readonly string[] }): Promise<{
    topicMetadata: readonly { topic: string; partitionMetadata: readonly PartitionLeader[] }[];
  } | null>;
  disconnect(): Promise<void>;
}

/** Bytes that members of a group exchange. */
export interface GroupProtocol {
  readonly subscription: (topic: string) => Buffer;
  readonly assignment: (topic: string, partitions: readonly number[]) => Buffer;
  readonly assigned: (bytes: Buffer, topic: string) => readonly number[];
}

/** What the adapter says to its surroundings. */
export interface ClientEvents {
  readonly debug: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** A socket broke, or could not connect. */
  readonly socketFailed: (error: unknown) => void;
}

/**
 * kafkajs would retry on its own, without an end that can be set: everything here asks once. All fields are given because
 * kafkajs has other defaults when NODE_ENV is `test`.
 */
const NO_RETRY = Object.freeze({ retries: 0, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 });
/** For the users of `native`: what kafkajs has by default. */
const NATIVE_RETRY = Object.freeze({ ...NO_RETRY, retries: 5, initialRetryTime: 300, maxRetryTime: 30_000 });
/** How long closing waits for answers under way. */
const CLOSE_MS = 1_000;

type Library = typeof import('kafkajs');

export interface ClientSettings {
  readonly options: ParsedOptions;
  /** With the contents of the files. */
  readonly ssl: ConnectionOptions | boolean;
  readonly events: ClientEvents;
  readonly clock: Clock;
}

/** Loads kafkajs. No I/O on the network. */
export async function loadClient(settings: ClientSettings): Promise<Client> {
  const { default: library } = (await import('kafkajs')) as unknown as { default: Library };
  return new Client(library, settings);
}

/** Makes connections of a kind, all with the same options. */
export class Client {
  readonly protocol: GroupProtocol;
  readonly #library: Library;
  readonly #settings: ClientSettings;
  readonly #links = new Set<Link>();
  readonly #nativeSockets: Sockets;
  #closed = false;
  readonly native: KafkaNative;

  constructor(library: Library, settings: ClientSettings) {
    this.#library = library;
    this.#settings = settings;
    this.protocol = groupProtocol(library);
    this.#nativeSockets = new Sockets(settings.events.socketFailed);
    const kafka = new library.Kafka(this.#config(this.#nativeSockets, NATIVE_RETRY));
    this.native = Object.freeze({ kafka, admin: kafka.admin() });
  }

  get compression(): number {
    const { GZIP, None } = this.#library.CompressionTypes;
    return this.#settings.options.compression === 'gzip' ? GZIP : None;
  }

  /** Connections of their own to the brokers, made when first used. */
  link(): Link {
    const sockets = new Sockets(this.#settings.events.socketFailed);
    if (this.#closed) sockets.destroy(new Error('the adapter is closed'));
    const kafka = new this.#library.Kafka(this.#config(sockets, NO_RETRY));
    const ended = (): void => {
      this.#links.delete(link);
    };
    const link = new Link(clusterOf(this.#library, kafka), sockets, this.#settings.clock, ended);
    this.#links.add(link);
    return link;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#nativeSockets.retire();
    await Promise.all([...this.#links].map((link) => link.close()));
    await settledWithin(this.#settings.clock, this.native.admin.disconnect(), CLOSE_MS);
    this.#nativeSockets.destroy(new Error('the adapter was closed'));
  }

  #config(sockets: Sockets, retry: KafkaConfig['retry']): KafkaConfig {
    const { options, ssl } = this.#settings;
    const { sasl, requestTimeoutMs } = options;
    return {
      brokers: [...options.brokers],
      clientId: options.clientId,
      ssl,
      ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
      connectionTimeout: requestTimeoutMs,
      authenticationTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(retry === undefined ? {} : { retry }),
      socketFactory: sockets.factory as unknown as NonNullable<KafkaConfig['socketFactory']>,
      logLevel: this.#library.logLevel.WARN,
      logCreator: this.#logCreator,
    };
  }

  /** What kafkajs calls an error comes back to us as one, so its log is for those who look for details. */
  readonly #logCreator: logCreator =
    () =>
    ({ namespace, log }) =>
      this.#settings.events.debug(`kafkajs ${namespace}: ${log.message}`, {
        ...(log.broker === undefined ? {} : { broker: log.broker }),
        ...(log.error === undefined ? {} : { error: String(log.error) }),
      });
}

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
export class KafkaUnavailable extends Error {
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

/** A consumer that is never run is the way to a cluster object: its assigner is made, and given the cluster, at once. */
function clusterOf(library: Library, kafka: Kafka): Cluster {
  let cluster: Cluster | undefined;
  kafka.consumer({
    groupId: 'anymq',
    // Each question for metadata is asked of a broker.
    metadataMaxAge: 0,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster as unknown as Cluster;
        return library.PartitionAssigners.roundRobin(config);
      },
    ],
  });
  if (cluster !== undefined) return cluster;
  const message = 'This version of kafkajs gives assigners no cluster. Install kafkajs 2.2.4.';
  throw new MessagingError('INTERNAL', message, { adapter: 'kafka' });
}

function groupProtocol({ AssignerProtocol: { MemberAssignment, MemberMetadata } }: Library): GroupProtocol {
  return {
    subscription: (topic) => MemberMetadata.encode({ version: 0, topics: [topic], userData: Buffer.alloc(0) }),
    assignment: (topic, partitions) =>
      MemberAssignment.encode({ version: 0, assignment: { [topic]: [...partitions] }, userData: Buffer.alloc(0) }),
    assigned: (bytes, topic) => MemberAssignment.decode(bytes)?.assignment[topic] ?? [],
  };
}
