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
import { forgetHalves } from './internal/halves.js';
import { Link } from './internal/link.js';
import type { Seeds } from './internal/seeds.js';
import { Sockets } from './internal/sockets.js';
import type { Cluster } from './internal/wire.js';
import type { ParsedOptions } from './options.js';

/** The broker's own clients: a plain kafkajs client with kafkajs's own retries, and a connected admin of it. */
export interface KafkaNative {
  readonly kafka: Kafka;
  readonly admin: Admin;
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

/** What a client needs to connect. */
export interface ClientSettings {
  readonly options: ParsedOptions;
  readonly seeds: Seeds;
  /** With the contents of the files. */
  readonly ssl: ConnectionOptions | boolean;
  readonly events: ClientEvents;
  readonly clock: Clock;
}

/** Loads kafkajs. No I/O on the network. */
export async function loadClient(settings: ClientSettings): Promise<Client> {
  const { default: library } = (await import('kafkajs')) as unknown as { default: Library };
  const { sasl } = settings.options;
  return new Client(library, sasl === undefined ? undefined : await loadMechanism(sasl.mechanism), settings);
}

type Sasl = NonNullable<ParsedOptions['sasl']>;
/** What kafkajs does for one mechanism. Its options take the password as it is at the start, once and for all. */
type Mechanism = (credentials: {
  readonly username: string;
  readonly password: string;
}) => (...connection: unknown[]) => { authenticate(): Promise<void> };

async function loadMechanism(mechanism: Sasl['mechanism']): Promise<Mechanism> {
  const name = mechanism.replace('-sha-', '');
  const { default: provider } = await import(`kafkajs/src/broker/saslAuthenticator/${name}.js`);
  return provider;
}

/** The password is asked for at every connection. */
function saslOf(mechanism: Mechanism | undefined, sasl: Sasl): SASLOptions {
  const { username, password } = sasl;
  const authenticate = async (connection: readonly unknown[]): Promise<void> => {
    const secret = typeof password === 'string' ? password : await password();
    await mechanism?.({ username, password: secret })(...connection).authenticate();
  };
  const authenticationProvider = (...connection: unknown[]) => ({ authenticate: () => authenticate(connection) });
  return { mechanism: sasl.mechanism, authenticationProvider } as unknown as SASLOptions;
}

/** Makes connections of a kind, all with the same options. */
export class Client {
  readonly protocol: GroupProtocol;
  readonly #library: Library;
  readonly #mechanism: Mechanism | undefined;
  readonly #settings: ClientSettings;
  readonly #links = new Set<Link>();
  readonly #nativeSockets: Sockets;
  #closed = false;
  readonly native: KafkaNative;

  constructor(library: Library, mechanism: Mechanism | undefined, settings: ClientSettings) {
    this.#library = library;
    this.#mechanism = mechanism;
    this.#settings = settings;
    this.protocol = groupProtocol(library);
    this.#nativeSockets = new Sockets(settings.events.socketFailed, (address) => settings.seeds.failed(address));
    const kafka = new library.Kafka(this.#config(this.#nativeSockets, NATIVE_RETRY));
    this.native = Object.freeze({ kafka, admin: kafka.admin() });
  }

  get compression(): number {
    const { GZIP, None } = this.#library.CompressionTypes;
    return this.#settings.options.compression === 'gzip' ? GZIP : None;
  }

  /** Connections of their own to the brokers, made when first used. */
  link(): Link {
    const { events, seeds } = this.#settings;
    const opening = (): void => forgetHalves(cluster);
    const sockets = new Sockets(events.socketFailed, (address) => seeds.failed(address), opening);
    if (this.#closed) sockets.destroy(new Error('the adapter is closed'));
    const kafka = new this.#library.Kafka(this.#config(sockets, NO_RETRY));
    const ended = (): void => {
      this.#links.delete(link);
    };
    const cluster = clusterOf(this.#library, kafka);
    const link = new Link(cluster, sockets, this.#settings.clock, ended);
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
    const { options, ssl, seeds } = this.#settings;
    const { sasl, requestTimeoutMs } = options;
    return {
      brokers: () => [seeds.current],
      clientId: options.clientId,
      ssl,
      ...(sasl === undefined ? {} : { sasl: saslOf(this.#mechanism, sasl) }),
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
