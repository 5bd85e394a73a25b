import type { Ports } from './ports.js';

/** The brokers that can be started. */
export const BROKER_NAMES = ['kafka', 'rabbitmq', 'rocketmq'] as const;

/** One of {@link BROKER_NAMES}. */
export type BrokerName = (typeof BROKER_NAMES)[number];

/** What an AnyMQ broker configuration needs to reach it: `{ adapter: name, ...connection }`. */
export type Connection = Readonly<Record<string, string | readonly string[]>>;

/** Who may use a broker. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** PEM files of a broker that speaks TLS. */
export interface BrokerTls {
  /** Authority of client certificates. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Where one running broker lives. */
export interface Place {
  /** Its own folder, absolute: configuration, data, logs, pid files. Stands in the command lines of its processes. */
  readonly folder: string;
  /** Folder of the jars that all instances share. */
  readonly jars: string;
  readonly ports: Ports;
  /** Kafka: `host:port`s that further listeners, `ports.behindProxy0` and so on, tell their clients to use. */
  readonly advertised?: readonly string[];
  /** Who may use it. */
  readonly credentials?: Credentials;
  readonly tls?: BrokerTls;
  /** RocketMQ: the shortest poll that its proxy grants. */
  readonly minPollMs?: number;
}

/** One process of a broker. */
export interface Program {
  /** Name of its pid and log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Must hold before the next program starts, or the broker is asked. Never throws. */
  readonly ready?: () => Promise<boolean>;
}

/** How one kind of broker is started and asked. The three files of the kinds have the same shape. */
export interface Kind {
  readonly name: BrokerName;
  /** For sentences: `Kafka`. */
  readonly title: string;
  /** The shared broker's ports, by use; the first is the one that clients use. */
  readonly ports: Ports;
  /** Names of its programs in the order in which they start. */
  readonly processes: readonly string[];
  /** Logs that it writes itself, below its folder. What it prints is kept for every kind. */
  readonly logs: readonly string[];
  /** What runs, as `Kafka 4.1.0`, once {@link prepare} is through. */
  version(place: Place): string;
  /** What must be on the machine; throws a {@link MissingTool} that names what is missing. */
  requirements(place: Place): Promise<void>;
  /** Fetches jars, writes configuration, formats data. Idempotent. */
  prepare(place: Place): Promise<void>;
  programs(place: Place): readonly Program[];
  /** Asks the broker a real protocol request. Never throws, and ends by itself. */
  answers(ports: Ports): Promise<boolean>;
  /** After the first answer: does once what is slow, or fails, the first time. True when it went well. Never throws. */
  warmUp?(ports: Ports): Promise<boolean>;
  connection(ports: Ports): Connection;
  /** Runs one of its own programs for administrators against the broker at a place: what it printed. */
  tool?(place: Place, program: string, args: readonly string[]): Promise<string>;
}
