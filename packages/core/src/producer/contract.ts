import type { Topic } from '../topic.js';

/** Bounds of one producer. */
export interface ProducerOptions {
  /**
   * How long a send may take altogether, resends included, milliseconds, 10-3,600,000. When it is over the send rejects:
   * `TIMEOUT` if the message was certainly not stored, `INDETERMINATE` if it may have been. @default 30_000
   */
  readonly sendTimeoutMs?: number;
  /** Messages that may wait for the broker at once, 1-1,000,000; more sends wait for room. @default 10_000 */
  readonly maxBuffered?: number;
  /** Bytes of bodies that may wait for the broker at once, at least 1,024. @default 67_108_864 */
  readonly maxBufferedBytes?: number;
}

/** What may be said about one message. */
export interface SendOptions {
  /** 1-128 printable ASCII characters without space. Repeat it when you repeat a send. @default a random UUID */
  readonly id?: string;
  /** In place of the topic's own key function; only on topics that have one. 1-256 bytes. */
  readonly key?: string;
  /** Names: 1-128 ASCII letters, digits, `.`, `-`, `_`; values: any well-formed Unicode. */
  readonly headers?: Readonly<Record<string, string>>;
  /** When it happened, milliseconds since the Unix epoch. @default now */
  readonly time?: number;
  /** 1-200 printable ASCII characters. @default the topic's type */
  readonly type?: string;
  /**
   * Deliver it so much later, milliseconds, 0 to the adapter's `limits.maxDelayMs` (`UNSUPPORTED` beyond). Never earlier, and at most
   * `limits.delayToleranceMs` later when nothing is in its way. It takes its place in its key's order when it is due. The send
   * resolves when it is stored durably. @default at once
   */
  readonly delayMs?: number;
  /** The same as a point in time, milliseconds since the Unix epoch or a Date; in the past: at once. In place of `delayMs`. */
  readonly deliverAt?: number | Date;
  /** Milliseconds, 10-3,600,000. @default the producer's sendTimeoutMs */
  readonly timeoutMs?: number;
  /** Stops waiting: `ABORTED` if the message was certainly not sent, `INDETERMINATE` if it may have been. */
  readonly signal?: AbortSignal;
}

/** What the broker said about a send: it is stored durably. */
export interface Receipt {
  readonly id: string;
  readonly topic: string;
  /** Where it stands on the broker; undefined where the broker does not tell (RabbitMQ). */
  readonly position: string | undefined;
  /** The message's time, milliseconds since the Unix epoch. */
  readonly time: number;
  /** Of a message with `delayMs` or `deliverAt`: for {@link Producer.cancel}, in any process. */
  readonly cancelToken?: string;
}

/** What became of a delayed message that was to be cancelled. */
export type Cancellation = 'cancelled' | 'too-late';

/** One message of a `sendBatch`. */
export interface BatchItem<In> extends Omit<SendOptions, 'signal' | 'timeoutMs'> {
  readonly value: In;
}

/** What became of one item. */
export type BatchItemResult =
  | { readonly status: 'sent'; readonly receipt: Receipt }
  | { readonly status: 'failed'; readonly error: Error };

/** What became of a whole `sendBatch`. */
export interface BatchReceipt {
  /** One per item, in the order of the items. */
  readonly results: readonly BatchItemResult[];
  /** How many of them failed. */
  readonly failed: number;
}

/** Sends messages. Get one from `messaging.producer()`; make few, they are safe to share. */
export interface Producer extends AsyncDisposable {
  /**
   * Sends one message; resolves when the broker has stored it durably. Messages of one key arrive in the order of the calls,
   * awaited or not.
   *
   * Rejects, before anything is sent, with `INVALID_VALUE` (the schema refuses), `ENCODING_FAILED`, `INVALID_ARGUMENT`,
   * `TOO_LARGE`, `CLOSED`; later with `TIMEOUT`, `UNAVAILABLE`, `UNAUTHORISED`, `NOT_FOUND`, `CONFLICT`, `UNROUTABLE`, `ABORTED` (certainly
   * not stored), or `INDETERMINATE` (perhaps stored: repeat it with the same id).
   */
  send<In, Out>(topic: Topic<In, Out>, value: In, options?: SendOptions): Promise<Receipt>;
  /** Sends many and reports each; never half silent. Rejects only with `CLOSED` or `INVALID_ARGUMENT` for the call as a whole. */
  sendBatch<In, Out>(
    topic: Topic<In, Out>,
    items: readonly BatchItem<In>[],
    options?: Pick<SendOptions, 'timeoutMs' | 'signal'>,
  ): Promise<BatchReceipt>;
  /**
   * Takes a delayed message back. `cancelled`: nobody will ever get it. `too-late`: it was or will be delivered. Exact, and the
   * same when asked again within an hour of its time. Rejects with `INVALID_ARGUMENT` for what is no token, `INDETERMINATE` when
   * nobody answered within 30 s: ask again.
   */
  cancel(cancelToken: string): Promise<Cancellation>;
  /** Resolves when everything sent before has an outcome. Does not reject for those outcomes. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Takes no more sends, waits for those under way (each bounded by its own time-out), releases. Idempotent. */
  close(): Promise<void>;
}
