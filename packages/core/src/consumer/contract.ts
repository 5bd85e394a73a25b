import type { BatchHandler, Handler } from '../message.js';
import type { Topic } from '../topic.js';
import type { DeduplicationStore } from './deduplication-store.js';
import type { RetryBackoff } from './retry-backoff.js';

/** Who a consumer is. */
export interface ConsumerOptions {
  /** Consumers with the same group share a topic's messages; every group gets all of them. 1-64 letters, digits, `.`, `-`. */
  readonly group: string;
  /**
   * Every live consumer gets every message that is sent from its start on, instead of a share: for caches and live views. The group
   * says who it is (at most 50 characters then); nothing is kept for a consumer that is gone. All else is as for groups: order by
   * key, redelivery (to the consumer that failed alone), back-pressure. @default false
   */
  readonly broadcast?: boolean;
  /** How long `close` waits for running handlers, milliseconds, 0-3,600,000. @default 30_000 */
  readonly drainTimeoutMs?: number;
}

/** How a topic is received. */
export interface SubscribeOptions {
  /**
   * Where a group that is new on this topic begins; a group that exists resumes where it stood. `latest`: with what is sent
   * after `start` resolved. @default 'earliest', or 'latest' on topics with history 'none'
   */
  readonly startFrom?: 'earliest' | 'latest';
  /** Handlers that may run at once, 1-10,000. Messages of one key never overlap. @default 64 */
  readonly concurrency?: number;
  /**
   * Deliveries that may be unsettled at once, `concurrency` (times `batch.size`) to 100,000. Of these a quarter, but at least one
   * and at most 100, is for what comes by the group's inbox (released retries, redriven letters) once there is one.
   * @default 1_000, or more if concurrency or batch need it
   */
  readonly maxInFlight?: number;
  /**
   * Bytes of bodies that may be unsettled at once, 1,024 to 1,099,511,627,776; as many again for the group's inbox, once there is
   * one. A message larger than that is handled alone.
   * @default 67_108_864
   */
  readonly maxInFlightBytes?: number;
  /**
   * Acknowledges, without a call of the handler, a message whose id this group has handled as far as the store knows: brokers
   * and senders may repeat one. Effects happen once when the handler writes them and the store records in one place; else a crash
   * between the two still repeats. Copies that two members have at the same time are both handled (with a key that cannot be).
   * A store that fails to answer holds the message back until it does, see the `deduplication-failed` event. Not for broadcast.
   * @default none
   */
  readonly deduplicate?: DeduplicationStore;
  /** When a message whose handler failed is handled again, and how often. @default every second, as long as it takes */
  readonly retry?: RetryPolicy;
  /**
   * How long one call of the handler may take, milliseconds, 1-86,400,000. When that is over the delivery's `signal` is aborted
   * with a `TIMEOUT` error, and the call has failed with it, whatever the handler returns. The key goes on, and the place in
   * `concurrency` is free, only when the handler has really ended: handlers of one key never overlap, so look at the signal.
   * @default no limit
   */
  readonly handlerTimeoutMs?: number;
  /**
   * Where what is given up goes: after `retry.maxAttempts`, on a {@link PermanentError}, on `deadLetter()`, and at once, without
   * a call, when it cannot be decoded or does not fit the schema. By default the group keeps it, for `messaging.deadLetters(topic,
   * { group })` to list and redrive. `{ topic }`: it is sent there, with its cause in headers `anymq-dead-letter-*`. Either way it
   * is written durably, with its body, key and headers as they were, and only then settled; while that fails the message
   * stays unsettled, see the `dead-letter-failed` event. `'none'`: settled, with a `discarded` event.
   * @default the group's dead letters; for broadcast consumers, and where the `dead-letters` row is unsupported, nothing is given up
   */
  readonly deadLetter?: DeadLetterOptions | 'none';
}

/** What happens when a handler fails. */
export interface RetryPolicy {
  /**
   * Handler calls in all, 1-1,000,000; the last one's `attempt` is this number. A message of which more are known already (the
   * number was lowered) gets one more call. Needs `deadLetter`. @default as many as it takes
   */
  readonly maxAttempts?: number;
  /**
   * How long until the next call: `fixed`, `exponential` or `steps`. A floor: never earlier. No wait may be longer than the
   * adapter's `limits.maxHoldMs`, or with `release` its `limits.maxDelayMs` (`UNSUPPORTED`). @default fixed(1_000)
   */
  readonly backoff?: RetryBackoff;
  /**
   * `hold-key`: the messages behind it of its key wait, so that the key's order holds. `release`: a copy of it is stored for the
   * group alone, due when the back-off is over, and the message is settled: later messages of its key pass, nothing of the
   * consumer is occupied, and handlers of one key may overlap when another member gets the copy. @default 'hold-key'
   */
  readonly whileRetrying?: 'hold-key' | 'release';
  /**
   * What an error that a handler threw, or a handler's time-out, calls for. Throwing, or answering anything else, counts as
   * `'retry'` and is logged. @default 'dead-letter' for a PermanentError, 'retry' for everything else
   */
  readonly classify?: (error: unknown) => 'retry' | 'dead-letter' | 'discard';
  /**
   * Messages that wait for a retry, or to be given up, and those behind them of their keys, that do not use up `maxInFlight`,
   * 0-100,000: a key that keeps failing must not starve the others. Their bytes do count. @default 1_000
   */
  readonly maxHeld?: number;
}

/** A topic for what is given up. */
export interface DeadLetterOptions {
  /**
   * Its name, 1-100 letters, digits, `.`, `-`; not the subscription's own. Keyed as that is. May be routed to another broker.
   */
  readonly topic: string;
}

/** Hands over several messages in one call. */
export interface BatchOptions {
  /** Most messages in one call, 1-10,000. */
  readonly size: number;
  /** How long the first message waits for more, milliseconds, 0-60,000. @default 100 */
  readonly maxWaitMs?: number;
}

/**
 * `starting`: it joins, or waits for its topic, which was deleted, to be made again. `failed`: the broker refuses to go on. Both are
 * told with a `subscription-failed` event.
 */
export type SubscriptionState = 'idle' | 'starting' | 'running' | 'paused' | 'failed' | 'closed';

/** One topic received for one group. */
export interface Subscription {
  readonly topic: string;
  readonly group: string;
  readonly state: SubscriptionState;
  /** Deliveries that are not settled yet. */
  readonly inFlight: number;
  /** Bytes of their bodies. */
  readonly inFlightBytes: number;
  /** No handler starts any more until `resume`; running ones go on. Membership and messages are kept. Idempotent. */
  pause(): void;
  resume(): void;
  /** Messages that this group has yet to settle, as far as the broker tells. */
  lag(): Promise<number>;
}

/** Receives messages for one group. Get one from `messaging.consumer({ group })`. */
export interface Consumer extends AsyncDisposable {
  readonly group: string;
  /**
   * Handle a topic's messages, one by one. A handler that returns has acknowledged; after one that throws it is called again as
   * `retry` says, with `attempt` one higher, while other keys go on.
   *
   * Throws `INVALID_ARGUMENT` for bad options, `CONFLICT` when this consumer has the topic already, `UNSUPPORTED` when the
   * broker cannot do what is asked, `CLOSED`. May be called after `start`; call `start` again to wait for it.
   */
  subscribe<In, Out>(
    topic: Topic<In, Out>,
    handler: BatchHandler<Out>,
    options: SubscribeOptions & { readonly batch: BatchOptions },
  ): Subscription;
  subscribe<In, Out>(
    topic: Topic<In, Out>,
    handler: Handler<Out>,
    options?: SubscribeOptions & { readonly batch?: undefined },
  ): Subscription;
  /**
   * Joins the group for every subscription. Resolves when membership stands and the start positions are fixed. Rejects with
   * `UNAVAILABLE`, `UNAUTHORISED`, `CONFLICT` (another member of the group subscribed differently), `NOT_FOUND`. Idempotent: a call after more
   * subscriptions starts those.
   */
  start(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Pauses every subscription. */
  pause(): void;
  resume(): void;
  /**
   * Takes no new messages, waits for running handlers up to `drainTimeoutMs`, settles what they did, then gives the rest back
   * to the group unsettled (telling late handlers through their `signal`). Idempotent.
   */
  close(): Promise<void>;
}
