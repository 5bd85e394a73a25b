import type { ConfiguredAdapter } from '@anymq/core/adapter';
import type { ChaosConnection } from './chaos/target.js';
import type { FaultProxy } from './faults/index.js';

/** The broker that a target needs is not there. The run is reported as skipped, by name, or fails where brokers are required. */
export class BrokerMissing extends Error {
  override readonly name = 'BrokerMissing';
}

/** What a plain client of a broker sees of a message. */
export interface NativeMessage {
  readonly body: Uint8Array;
  readonly key?: string | undefined;
  /** All headers, properties or attributes that the broker's client gives as text. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A plain client of the target's broker, without AnyMQ. */
export interface NativePeer {
  /** Sends a message that says nothing about itself: no AnyMQ header, no id. The topic exists. */
  send(
    topic: string,
    message: { readonly body: Uint8Array; readonly key?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<void>;
  /** The first `count` messages that stand in the topic. */
  read(topic: string, count: number): Promise<readonly NativeMessage[]>;
  /** What an administrator does who wants to be rid of the topic: it, its messages and what its groups have there are gone then. */
  deleteTopic(topic: string): Promise<void>;
  close(): Promise<void>;
}

/** A way to the broker that can be closed and opened again, while others go on. */
export interface Outage {
  /** A fresh configured adapter that goes this way. */
  configure(): ConfiguredAdapter;
  /** From now on whoever goes this way has no broker; connections that stand are cut. */
  begin(): void;
  end(): void;
}

/** The way to the broker through a proxy that makes faults. */
export interface ProxiedWay {
  configure(): ConfiguredAdapter;
  readonly proxy: FaultProxy;
  /** Nobody needs it any more. */
  close?(): Promise<void>;
}

/** How a process of its own comes to the broker. */
export interface ProcessWay {
  /** URL of a module that exports `configure(connection)`, or an adapter package as `adapter`. */
  readonly module: string;
  readonly connection: ChaosConnection;
  /** Where nothing listens. */
  readonly unreachable: ChaosConnection;
}

/** Names and versions of what a run was made with, for its certificate. */
export interface About {
  /** `@acme/anymq-queue 1.2.0` */
  readonly adapter?: string;
  /** The client library. */
  readonly client?: string;
  readonly broker?: string;
}

/** What a target gives once its broker runs. Everything one run configures meets on the same broker. */
export interface OpenTarget {
  /** A fresh configured adapter: each is a process of its own for the broker. */
  configure(): ConfiguredAdapter;
  /** The same adapter, pointed at an address where nothing listens. */
  unreachable(): ConfiguredAdapter;
  /** The same adapter with credentials that the broker refuses; `secret` must never show up anywhere. Proves `authentication`. */
  unauthorised?(secret: string): ConfiguredAdapter;
  /** The same adapter with several addresses, at the first of which nothing listens. Proves `network`. */
  firstDead?(): ConfiguredAdapter;
  /** The same adapter, told to create nothing. Proves `given-topology`. */
  checking?(): ConfiguredAdapter;
  /**
   * What an administrator does who sets a limit of time or of deliveries to a group's line: from now on the broker gives up, of the
   * topic's messages, what has lain there for a moment or what a member has had and gave back. The group stands, and nobody is in it.
   * Proves `broker-limits`.
   */
  limit?(namespace: string, topic: string, group: string): Promise<void>;
  /** A plain client, to prove `native-interop`. @param namespace under which the topics stand */
  native?(namespace: string): Promise<NativePeer>;
  /** A way to the broker with a fault proxy on it, to prove `network` and `recovery`. No two cases use one at the same time. */
  proxied?(): Promise<ProxiedWay>;
  /** For engines without a network, to prove `recovery`. @default made of {@link OpenTarget.proxied} */
  outage?(): Outage;
  /** For processes that must end by themselves. */
  process?(): ProcessWay;
  /**
   * What the broker holds for its clients, counted by its own means: connections, channels, queues, groups, members. Nothing
   * else uses it meanwhile. To prove that nothing leaks on a `network`. @param namespace of the groups that count
   */
  footprint?(namespace: string): Promise<Readonly<Record<string, number>>>;
  /** So many ways, of which none has the faults of another, can be open at once, 1-4. @default 1 */
  readonly ways?: number;
  /** @default what the adapter is called */
  about?(): Promise<About> | About;
  /** Removes what stands under a namespace: a broker under test must not fill up. Called when a case is over. */
  cleanUp?(namespace: string): Promise<void>;
  close?(): Promise<void>;
}

/** An adapter to hold to the contract. */
export interface ContractTarget {
  readonly name: string;
  /**
   * Makes sure that the broker runs, once per run, and resolves with what configures the adapter for it. Rejects with
   * {@link BrokerMissing}.
   */
  open(): Promise<OpenTarget>;
}
