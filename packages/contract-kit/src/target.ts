import type { ConfiguredAdapter } from '@anymq/core/adapter';

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
  close(): Promise<void>;
}

/** An adapter to hold to the contract. */
export interface ContractTarget {
  readonly name: string;
  /**
   * Makes sure that the broker runs, once per run, and resolves with what configures the adapter for it. Everything one run
   * configures meets on the same broker. Rejects with {@link BrokerMissing}.
   */
  open(): Promise<{
    /** A fresh configured adapter: each is a process of its own for the broker. */
    configure(): ConfiguredAdapter;
    /** The same adapter, pointed at an address where nothing listens. */
    unreachable?(): ConfiguredAdapter;
    /** The same adapter with credentials that the broker refuses; `secret` must never show up anywhere. */
    unauthorised?(secret: string): ConfiguredAdapter;
    /** @param namespace under which the topics stand */
    native?(namespace: string): Promise<NativePeer>;
    /** Removes what stands under a namespace: a broker under test must not fill up. Called when a case is over. */
    cleanUp?(namespace: string): Promise<void>;
    close?(): Promise<void>;
  }>;
}

/** An opened {@link ContractTarget}. */
export type OpenTarget = Awaited<ReturnType<ContractTarget['open']>>;
