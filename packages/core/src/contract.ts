import type { ConfiguredAdapter } from './adapter/spi.js';
import type { BrowsedMessage, BrowseOptions } from './browse.js';
import type { Capabilities } from './capabilities.js';
import type { Clock } from './clock.js';
import type { Consumer, ConsumerOptions } from './consumer/contract.js';
import type { DeadLetters } from './dead-letters/contract.js';
import type { MessagingError } from './errors.js';
import type { Logger } from './logger.js';
import type { Producer, ProducerOptions } from './producer/contract.js';
import type { Topic } from './topic.js';

/** A broker by the name of its adapter, as in a configuration file: `{ adapter: 'kafka', brokers: [...] }`. */
export interface BrokerConfig {
  /** `memory`, `kafka`, `rabbitmq`, `rocketmq`, or the name of any package that exports an adapter. */
  readonly adapter: string;
  readonly [option: string]: unknown;
}

/** What `createMessaging` takes. Everything has a default; without `brokers` a configuration file is read. */
export interface MessagingOptions {
  /** Brokers by name: an adapter with its options, or a configuration of one. @default those of the configuration file */
  readonly brokers?: Readonly<Record<string, ConfiguredAdapter | BrokerConfig>>;
  /** Broker of the topics that no route names. @default the only broker */
  readonly default?: string;
  /** Topic pattern (`*` one word, `#` any number of words) to broker name; the most specific pattern wins. */
  readonly routes?: Readonly<Record<string, string>>;
  /** Every name on a broker stands under it: 1-24 letters, digits, hyphens. @default 'anymq' */
  readonly namespace?: string;
  /** How long connecting to a broker is tried before it is an error, milliseconds, 100-3,600,000. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Configuration file. Only read when `brokers` is not given. @default anymq.config.{json,js,ts,yaml} in `cwd` */
  readonly configFile?: string;
  /** Where the configuration file is looked for. @default process.cwd() */
  readonly cwd?: string;
  /** Overrides for every key, as `ANYMQ_DEFAULT` or `ANYMQ_BROKERS_OFFICE_URL`. Only read with the configuration file. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where all time comes from. @default the machine's */
  readonly clock?: Clock;
  /** A number in [0, 1), for jitter. @default Math.random */
  readonly random?: () => number;
  /** Where AnyMQ writes what an operator should know. @default writes nothing */
  readonly logger?: Logger;
}

/** Something changed that an operator may want to know. */
export type MessagingEvent =
  | { readonly type: 'connection'; readonly broker: string; readonly state: 'up' | 'down'; readonly error?: unknown }
  | {
      readonly type: 'handler-failed';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      readonly attempt: number;
      readonly error: unknown;
    }
  /** Given up, and stored durably in the topic `to`: the one that was named, or AnyMQ's own for the group's dead letters. */
  | {
      readonly type: 'dead-lettered';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      /** Handler calls there were. */
      readonly attempts: number;
      readonly to: string;
      readonly error: unknown;
    }
  /** Given up and settled, kept nowhere. */
  | {
      readonly type: 'discarded';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      /** Handler calls there were. */
      readonly attempts: number;
      readonly error: unknown;
    }
  /** What is given up could not be written where dead letters go: it stays unsettled, and that is tried again. */
  | {
      readonly type: 'dead-letter-failed';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      readonly error: unknown;
    }
  /** The copy of what is to be retried later could not be stored: the message stays unsettled, and that is tried again. */
  | {
      readonly type: 'release-failed';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      readonly error: unknown;
    }
  /** A delayed message is due and could not be sent to its topic: it is kept, and that is tried again every few seconds. */
  | { readonly type: 'delay-failed'; readonly topic: string; readonly id: string; readonly error: unknown }
  /** The group has handled a message with this id: this one was acknowledged without a call. */
  | { readonly type: 'duplicate-suppressed'; readonly topic: string; readonly group: string; readonly id: string }
  /** The store did not answer: before a call the message waits; after one it counts as handled, and a copy may be handled too. */
  | {
      readonly type: 'deduplication-failed';
      readonly topic: string;
      readonly group: string;
      readonly id: string;
      readonly error: unknown;
    }
  /**
   * Nothing is received any more. `NOT_FOUND`: the topic was deleted; the subscription waits for it to be made again, and goes on
   * by itself. Every other code is final: somebody must change something, and start anew.
   */
  | {
      readonly type: 'subscription-failed';
      readonly topic: string;
      readonly group: string;
      readonly error: MessagingError;
    };

/** How one broker stands. */
export interface BrokerHealth {
  readonly adapter: string;
  /** `idle`: nothing has used it yet. */
  readonly state: 'idle' | 'up' | 'down';
  readonly latencyMs?: number;
  readonly reason?: string;
}

/** How one subscription stands. */
export interface SubscriptionHealth {
  readonly topic: string;
  readonly group: string;
  readonly broker: string;
  readonly state: string;
  readonly inFlight: number;
  /** Undefined when the broker did not tell. */
  readonly lag?: number;
}

/** How a messaging stands: what readiness and liveness probes ask. */
export interface Health {
  /** The process works: nothing is closed or failed for good. */
  readonly live: boolean;
  /** Every broker in use answers and every started subscription runs. */
  readonly ready: boolean;
  readonly brokers: Readonly<Record<string, BrokerHealth>>;
  readonly subscriptions: readonly SubscriptionHealth[];
}

/** What this messaging is made of. Holds no credentials. */
export interface Description {
  readonly namespace: string;
  readonly default: string;
  readonly routes: Readonly<Record<string, string>>;
  readonly brokers: Readonly<
    Record<string, { readonly adapter: string; readonly address: string; readonly capabilities: Capabilities }>
  >;
  readonly subscriptions: readonly { readonly topic: string; readonly group: string; readonly broker: string }[];
}

/** A topic that a broker has. */
export interface TopicSummary {
  readonly name: string;
  /** Name of the broker in the configuration. */
  readonly broker: string;
}

/** How a group stands on one topic. What is undefined the broker does not tell. */
export interface GroupSummary {
  readonly group: string;
  /** Live members. */
  readonly members?: number | undefined;
  /** Messages that the group has yet to settle. */
  readonly lag?: number | undefined;
  /** Of these, given to a member. */
  readonly inFlight?: number | undefined;
  /**
   * Messages in the group's own inbox: redriven letters, and copies of `whileRetrying: 'release'` whose back-off is over. What a
   * member holds for a retry is lag; a copy whose back-off still runs is in no count.
   */
  readonly retrying?: number | undefined;
  /** Dead letters there are. */
  readonly dead?: number | undefined;
}

/** The door to all brokers of an application. */
export interface Messaging extends AsyncDisposable {
  producer(options?: ProducerOptions): Producer;
  consumer(options: ConsumerOptions): Consumer;
  /** Connects every broker that topics go to now; else the first use does. Rejects with `UNAVAILABLE`, `UNAUTHORISED`. */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Asks every broker in use. Never rejects. */
  health(): Promise<Health>;
  describe(): Description;
  /**
   * The dead letters of one group on one topic, by the topic's name or definition. No I/O; its methods connect. Throws
   * `INVALID_ARGUMENT`.
   */
  deadLetters(topic: Topic<never, unknown> | string, options: { readonly group: string }): DeadLetters;
  /**
   * Reads a topic beside its groups: nothing is consumed, nothing is left on the broker. For people and tools; a service that must
   * miss nothing consumes as a group. Ends with `DECODING_FAILED` or `INVALID_VALUE` at a message that does not fit the definition,
   * `UNSUPPORTED` where nothing is kept to be read (RabbitMQ, history 'none'), `UNAVAILABLE`, `UNAUTHORISED`, `CONFLICT`.
   */
  browse<In, Out>(topic: Topic<In, Out>, options: BrowseOptions): AsyncIterable<BrowsedMessage<Out>>;
  /** The topics in the namespace on every broker in use, those of other applications too. Rejects with `UNAVAILABLE`, `UNAUTHORISED`. */
  topics(): Promise<readonly TopicSummary[]>;
  /**
   * How the groups of a topic stand. Counts their dead letters by reading them, which takes as long as that takes. Rejects with
   * `NOT_FOUND` when there is no such topic, `UNAVAILABLE`, `UNAUTHORISED`, `TIMEOUT`.
   */
  groups(topic: string): Promise<readonly GroupSummary[]>;
  /** The broker's own client, typed by its adapter: `messaging.native<KafkaNative>('log')`. Throws `UNAVAILABLE` before it is connected. */
  native<Native>(broker?: string): Native;
  /** Listens to changes; the returned function ends that. A listener that throws is logged. */
  on(listener: (event: MessagingEvent) => void): () => void;
  /** Closes consumers, then producers, then brokers. Idempotent. */
  close(): Promise<void>;
}
