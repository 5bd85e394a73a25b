import type { BatchHandler, Handler } from '../message.js';
import type { Topic } from '../topic.js';

/** Who a consumer is. */
export interface ConsumerOptions {
  /** Consumers with the same group share a topic's messages; every group gets all of them. 1-64 letters, digits, `.`, `-`. */
  readonly group: string;
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
  /** Deliveries that may be unsettled at once, `concurrency` (times `batch.size`) to 100,000. @default 1_000, or more if concurrency or batch need it */
  readonly maxInFlight?: number;
}

/** Hands over several messages in one call. */
export interface BatchOptions {
  /** Most messages in one call, 1-10,000. */
  readonly size: number;
  /** How long the first message waits for more, milliseconds, 0-60,000. @default 100 */
  readonly maxWaitMs?: number;
}

/** `failed`: the broker refuses to go on, see the `subscription-failed` event. */
export type SubscriptionState = 'idle' | 'starting' | 'running' | 'paused' | 'failed' | 'closed';

/** One topic received for one group. */
export interface Subscription {
  readonly topic: string;
  readonly group: string;
  readonly state: SubscriptionState;
  /** Deliveries that are not settled yet. */
  readonly inFlight: number;
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
   * Handle a topic's messages, one by one. A handler that returns has acknowledged; one that throws gives the message back to
   * the group, which sees it again within some seconds with `attempt` one higher, while other keys go on.
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
