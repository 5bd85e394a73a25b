import type { Ports } from './ports.js';

/** The brokers that can be started. */
export const BROKER_NAMES = ['kafka', 'rabbitmq', 'rocketmq'] as const;

/** One of {@link BROKER_NAMES}. */
export type BrokerName = (typeof BROKER_NAMES)[number];

/** What an AnyMQ broker configuration needs to reach it: `{ adapter: name, ...connection }`. */
export type Connection = Readonly<Record<string, string | readonly string[]>>;

/** Where one running broker lives. */
export interface Place {
  /** Its own folder: configuration, data, logs, pid files. */
  readonly folder: string;
  readonly ports: Ports;
}

/** One process of a broker. */
export interface Program {
  /** Name of its pid and log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where the broker writes its own pid, when the command is only a starter. */
  readonly pidFile?: string;
  /** Must hold before the next program starts. */
  readonly ready?: () => Promise<boolean>;
}

/** How one kind of broker is started and asked. The three files of the kinds have the same shape. */
export interface Kind {
  readonly name: BrokerName;
  /** For sentences: `Kafka`. */
  readonly title: string;
  /** The shared broker's ports, by use. */
  readonly ports: Ports;
  /** What must be on the machine; throws one sentence that names what is missing. */
  requirements(): Promise<void>;
  /** Writes configuration, formats data. Idempotent. */
  prepare(place: Place): Promise<void>;
  programs(place: Place): readonly Program[];
  /** Asks the broker a real protocol request. Never throws. */
  answers(ports: Ports): Promise<boolean>;
  /** After the first answer: does once what is slow, or fails, the first time. True when it went well. Never throws. */
  warmUp?(ports: Ports): Promise<boolean>;
  connection(ports: Ports): Connection;
}
