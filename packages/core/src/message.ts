import { invalidArgument } from './errors.js';
import { checkObject, onlyKnown } from './range.js';

/** A message as its sender described it. Immutable. */
export interface Message<T> {
  /** The sender's id, or a random UUID. Stays the same through resends and redeliveries. */
  readonly id: string;
  /** Name of the topic. */
  readonly topic: string;
  /** What kind of message it is. @default the topic's name */
  readonly type: string;
  readonly value: T;
  /** The ordering key; undefined on topics without one. */
  readonly key: string | undefined;
  /** The sender's own headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it was sent (or what the sender said), milliseconds since the Unix epoch. */
  readonly time: number;
}

/** A message as one group received it. */
export interface Delivery<T> extends Message<T> {
  readonly group: string;
  /** Which call of a handler for this message in this group this is, counted from 1. */
  readonly attempt: number;
  /** The broker gave it to this group before: side effects may have happened. */
  readonly redelivered: boolean;
  /** Where it stands on the broker, for people and logs. */
  readonly position: string;
  /**
   * Aborted when the message does not belong to this consumer any more, when `close` has run out of time, or when
   * `handlerTimeoutMs` is over.
   */
  readonly signal: AbortSignal;
}

/** How a `retry()` differs from a throw. */
export interface RetryOptions {
  /**
   * How long until the handler is called again, in place of the subscription's back-off, milliseconds, 0 to the adapter's
   * `limits.maxHoldMs`. A floor: never earlier. @default the subscription's back-off
   */
  readonly afterMs?: number | undefined;
  /** Why, for events, logs and the dead letter. */
  readonly reason?: unknown;
}

/** What a handler decided. Made by {@link ack}, {@link retry}, {@link deadLetter} and {@link discard}. */
export type Outcome =
  | { readonly kind: 'ack' }
  | ({ readonly kind: 'retry' } & RetryOptions)
  | { readonly kind: 'dead-letter'; readonly reason?: unknown }
  | { readonly kind: 'discard'; readonly reason?: unknown };

const ACK: Outcome = Object.freeze({ kind: 'ack' });

/** Done: never give this message to the group again. The same as returning nothing. */
export const ack = (): Outcome => ACK;

/** Not done: call the handler again, as long as `retry.maxAttempts` allows. `retry.classify` is not asked. */
export const retry = (options: RetryOptions = {}): Outcome =>
  Object.freeze({ kind: 'retry', ...retryOptions(options) });

/** Give it up: it goes where the subscription's `deadLetter` says. Without one it is handled again. */
export const deadLetter = (reason?: unknown): Outcome => Object.freeze({ kind: 'dead-letter', reason });

/** Give it up and keep nothing of it: settled, with a `discarded` event. */
export const discard = (reason?: unknown): Outcome => Object.freeze({ kind: 'discard', reason });

/** A reason in place of the options would be lost: that is an error, thrown inside the handler. */
function retryOptions(options: RetryOptions): RetryOptions {
  checkObject('What retry() takes', options);
  if (options instanceof Error) throw invalidArgument('retry() takes { afterMs, reason }: give the error as reason.');
  onlyKnown('retry()', options, ['afterMs', 'reason']);
  return options;
}

/** Handles one message. Returning nothing is `ack`; what throwing is, the subscription's `retry` says. */
export type Handler<T> = (delivery: Delivery<T>) => void | Outcome | Promise<void | Outcome>;

/**
 * Handles 1 to `batch.size` messages. Returning nothing acknowledges all, throwing fails all; an array decides each, in the
 * order of the deliveries.
 */
export type BatchHandler<T> = (
  deliveries: readonly Delivery<T>[],
) => void | readonly Outcome[] | Promise<void | readonly Outcome[]>;
