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
  /** Aborted when the message does not belong to this consumer any more, or when `close` has run out of time. */
  readonly signal: AbortSignal;
}

/** What a handler decided. */
export type Outcome = { readonly kind: 'ack' } | { readonly kind: 'retry'; readonly reason?: unknown };

const ACK: Outcome = Object.freeze({ kind: 'ack' });

/** Done: never give this message to the group again. The same as returning nothing. */
export const ack = (): Outcome => ACK;

/** Not done: give the message to the group again. The same as throwing `reason`. */
export const retry = (reason?: unknown): Outcome => Object.freeze({ kind: 'retry', reason });

/** Handles one message. Returning nothing is `ack`, throwing is `retry`. */
export type Handler<T> = (delivery: Delivery<T>) => void | Outcome | Promise<void | Outcome>;

/**
 * Handles 1 to `batch.size` messages. Returning nothing acknowledges all, throwing retries all; an array decides each, in the
 * order of the deliveries.
 */
export type BatchHandler<T> = (
  deliveries: readonly Delivery<T>[],
) => void | readonly Outcome[] | Promise<void | readonly Outcome[]>;
