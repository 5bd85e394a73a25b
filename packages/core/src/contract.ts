import type { ConfiguredAdapter } from './adapter/spi.js';
import type { Capabilities } from './capabilities.js';
import type { Clock } from './clock.js';
import type { Consumer, ConsumerOptions } from './consumer/contract.js';
import type { MessagingError } from './errors.js';
import type { Logger } from './logger.js';
import type { Producer, ProducerOptions } from './producer/contract.js';

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

/** The door to all brokers of an application. */
export interface Messaging extends AsyncDisposable {
  producer(options?: ProducerOptions): Producer;
  consumer(options: ConsumerOptions): Consumer;
  /** Connects every broker that topics go to now; else the first use does. Rejects with `UNAVAILABLE`, `UNAUTHORISED`. */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Asks every broker in use. Never rejects. */
  health(): Promise<Health>;
  describe(): Description;
  /** The broker's own client, typed by its adapter: `messaging.native<KafkaNative>('log')`. Throws `UNAVAILABLE` before it is connected. */
  native<Native>(broker?: string): Native;
  /** Listens to changes; the returned function ends that. A listener that throws is logged. */
  on(listener: (event: MessagingEvent) => void): () => void;
  /** Closes consumers, then producers, then brokers. Idempotent. */
  close(): Promise<void>;
}
