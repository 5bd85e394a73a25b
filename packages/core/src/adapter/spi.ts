/**
 * The whole adapter interface.
 *
 * An adapter does I/O and classification, nothing else: it never validates user input, encodes values, retries a send,
 * counts concurrency or knows what a handler is. Core owns all of that, once.
 *
 * Three primitives carry every feature: write records to lanes ({@link Sender}), receive a topic for a group and settle
 * ({@link Receiver}), owning or losing what was received ({@link Source}), and read a topic without consuming ({@link Reader}).
 * Delays, inboxes and dead letters are policies of core over these: it keeps them in topics of its own (`anymq.*`).
 */
import type { z } from 'zod';
import type { Capabilities } from '../capabilities.js';
import type { Clock } from '../clock.js';
import type { ErrorCode } from '../errors.js';
import type { Logger } from '../logger.js';

/** What an adapter's package exports as `adapter`, so that it can be chosen by name in a configuration. */
export interface AdapterPackage<Options = unknown, Native = unknown> {
  readonly name: string;
  /** A strict zod object: unknown keys are errors, every default and range check stands here and nowhere else. */
  readonly optionsSchema: z.ZodType<Options>;
  /** No I/O, and no import of the broker's client library: that waits for {@link Adapter.connect}. */
  configure(options: Options): ConfiguredAdapter<Native>;
}

/** An adapter with its options, not yet connected. `kafka({...})` returns one; `createMessaging` takes one. */
export interface ConfiguredAdapter<Native = unknown> {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** No I/O. Called once per messaging. */
  create(runtime: AdapterRuntime): Adapter<Native>;
}

/** What core lends to an adapter. Adapters use no other clock, randomness or log. */
export interface AdapterRuntime {
  /** Name of the broker in the configuration. */
  readonly broker: string;
  /** Every name on the broker stands under it. 1-24 letters, digits and hyphens, no dot. */
  readonly namespace: string;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** A fresh jittered exponential back-off for one reconnection loop. */
  backoff(): Backoff;
  /** Say that the connection to the broker came up or went down. Once per change. */
  connection(state: 'up' | 'down', error?: unknown): void;
}

/** Waits between the tries of one loop. */
export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number;
}

/** A connection to one broker. `connect` comes first; everything else may be called concurrently. */
export interface Adapter<Native = unknown> {
  /** The broker's own client(s). Portable code never needs it. Throws `UNAVAILABLE` before `connect`. */
  readonly native: Native;
  /** Where the broker is, for errors and `describe()`. Never holds credentials. */
  readonly address: string;
  /**
   * One attempt, bounded by `signal`; core repeats it with back-off while {@link classify} says retryable. After it resolved,
   * the adapter reconnects by itself, for as long as it takes, and restores senders and receivers. After it rejected,
   * nothing of the attempt is left open.
   */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Creates the topic where missing (idempotent, safe against other processes doing the same) and opens a way to it.
   * Rejects with `CONFLICT` when the topic exists with other settings. May be called concurrently.
   */
  openSender(topic: TopicSpec): Promise<Sender>;
  /**
   * Creates topic and group where missing and joins the group. Resolves when membership stands and the start position is
   * fixed: with `latest`, whatever is sent after this resolved is delivered; with `earliest`, everything kept is.
   * Deliveries may begin before it resolves, as soon as credit was given.
   */
  openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver>;
  /**
   * Reads a topic without a group and without consuming: everything it keeps and then what comes (`earliest`), or whatever is
   * sent after this resolved (`latest`). Creates the topic where missing.
   */
  openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader>;
  /**
   * Has anybody created the topic? Creates nothing. Must be cheap, and quiet in the broker's logs: core asks about once a second
   * for what it waits for. What others have just created may be learned a second late.
   */
  exists(topic: TopicSpec): Promise<boolean>;
  /** Names of the topics in the namespace, as in {@link TopicSpec}, those of core's own (`anymq.*`) too. For people. */
  topics(): Promise<readonly string[]>;
  /** The groups of a topic, for people. Rejects with `NOT_FOUND` when there is no such topic. */
  groups(topic: string): Promise<readonly GroupStanding[]>;
  /** Never throws. `INTERNAL` for what it does not know. `MessagingError`s never reach it. */
  classify(error: unknown): Classification;
  /** Asks the broker. Resolves in any case, within 5 s. */
  health(): Promise<AdapterHealth>;
  /** Idempotent. Core has closed every sender and receiver before. Afterwards no socket, timer or listener is left. */
  close(): Promise<void>;
}

/** What a native error means to AnyMQ. */
export interface Classification {
  readonly code: ErrorCode;
  /** Trying the same again can succeed without a change by anybody. */
  readonly retryable: boolean;
}

/** How the broker answered just now. */
export interface AdapterHealth {
  /** The broker answered a real request. */
  readonly ready: boolean;
  /** How long the answer took, milliseconds. */
  readonly latencyMs?: number;
  /** Why not ready. Never holds credentials. */
  readonly reason?: string;
}

/** A topic as adapters see it. Names obey the common rule of `names.ts`; mapping them injectively is the adapter's part. */
export interface TopicSpec {
  readonly name: string;
  /** Records carry an ordering key. */
  readonly keyed: boolean;
  /** `none`: nothing needs to be kept for groups that do not exist yet. */
  readonly history: 'full' | 'none';
  /** `cloudevents`: write the full CloudEvents 1.0 attributes instead of the lean form. Both are understood on receipt. */
  readonly envelope: 'lean' | 'cloudevents';
  /** What a record's `type` and `contentType` are when nothing is written for them. */
  readonly type: string;
  readonly contentType: string;
  /**
   * The whole topic is one lane, whatever the adapter's own options say: one order, and one owner at a time in each group. Of what is
   * being written at the same time only that of one key has its order. Such a topic is keyed. @default false
   */
  readonly oneLane?: boolean;
  /**
   * `last-of-key`: the last record of each key is kept for ever, as far as the `dead-letters` row says; what another record of its
   * key follows may go. @default `by-age`, as the broker keeps any topic
   */
  readonly retention?: 'by-age' | 'last-of-key';
  /** Records carry {@link OutgoingRecord.deliverAt}. Core asks for it only where the `delay` row is `native`. @default false */
  readonly delayed?: boolean;
}

/** How a group stands on one topic, as the broker tells it just now. */
export interface GroupStanding {
  readonly group: string;
  /** Live receivers; undefined where the broker does not tell. */
  readonly members?: number | undefined;
  /** Messages that the group has yet to settle. */
  readonly lag?: number | undefined;
  /** Of these, given to a member; undefined where the broker does not tell. */
  readonly inFlight?: number | undefined;
}

/* ---- primitive 1: send ------------------------------------------------------------------------------------------- */

/** A message on its way out, encoded and checked by core against the declared limits. Adapters must not change it. */
export interface OutgoingRecord {
  /** 1-128 printable ASCII characters without space. */
  readonly id: string;
  /** Present exactly on keyed topics: 1-256 bytes of UTF-8. */
  readonly key: string | undefined;
  readonly body: Uint8Array;
  /** Names: ASCII letters, digits, `.`, `-`, `_`; values: any well-formed Unicode. Undefined when there are none. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly type: string;
  readonly contentType: string;
  /** Give it to nobody before, milliseconds since the Unix epoch. Only on topics that are `delayed`. In the past: now. */
  readonly deliverAt?: number | undefined;
}

/** Opened per topic. Core owns queueing, batching, order, deadlines and resends; the adapter only writes. */
export interface Sender {
  readonly limits: LaneLimits;
  /**
   * The lane a record belongs to. Records of one lane are stored in the order they were written. Synchronous, cheap, a
   * small non-negative integer. Core asks again before a resend, so the answer may change when topology does.
   */
  laneOf(record: OutgoingRecord): number;
  /**
   * Writes `records`, in order, and resolves with one result per record, in the same order. Never rejects. No retry inside.
   * Core keeps at most `limits.writes` writes of a lane under way and stops a lane after a result other than `stored`
   * until all its writes have answered. Must answer within the adapter's own request time-out (bounded, at most 30 s).
   * The array may be kept until then.
   */
  write(lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]>;
  /** Core waits for all writes before. */
  close(): Promise<void>;
}

/** What one lane takes at once. */
export interface LaneLimits {
  /** Writes of one lane that may be under way at once. Above 1 only where the lane keeps order by itself or promises none. */
  readonly writes: number;
  /** Records in one write. */
  readonly records: number;
  /** Bytes of bodies in one write; a single larger record goes alone. */
  readonly bytes: number;
}

/** What became of one record of a write. */
export type WriteResult =
  /** The broker confirmed durable storage. `position` is unique within topic where the broker tells one. */
  | { readonly status: 'stored'; readonly position?: string | undefined }
  /** Certainly not stored. Core resends it while `classify(error)` says retryable. */
  | { readonly status: 'not-sent'; readonly error: unknown }
  /** Written, the answer never came or says nothing. Core resends it with the same id, or rejects with `INDETERMINATE`. */
  | { readonly status: 'unknown'; readonly error: unknown };

/* ---- primitive 2: receive ---------------------------------------------------------------------------------------- */

/** Who receives what, and from where. */
export interface ReceiverSpec {
  readonly topic: TopicSpec;
  readonly group: string;
  /** For a group that is new on this topic; an existing group resumes where it stood. */
  readonly startFrom: 'earliest' | 'latest';
  /** Most credit that core will ever have given and not yet got back: size buffers by it. */
  readonly maxInFlight: number;
  /** The same for bytes of bodies. */
  readonly maxInFlightBytes: number;
  /**
   * The group is this receiver's alone: its name is new, it begins at `latest`, and nothing of it is left on the broker when the
   * receiver has closed, or some time after its process was killed, as the `broadcast` row says. @default false
   */
  readonly ephemeral?: boolean;
  /**
   * What all members of the group must agree on, as canonical text (at most 200 ASCII characters). The first member's is
   * kept durably with the group; a member that brings another one is rejected with `CONFLICT`, naming both.
   */
  readonly charter: string;
}

/** Core's side of a receiver. No method throws. */
export interface ReceiverSink {
  /**
   * Begin a period of ownership: a partition assignment, a bucket's channel, a lease. `name` is for people. `stillOwned` is
   * asked, synchronously and cheaply, before each handler starts: false when the lease may be over although nobody has said so
   * yet, as after the process stood still. Once it said false the adapter must announce `lost`. On a keyed topic both are
   * `HANDOVER_MS` before another member can be given what is lost.
   */
  own(name: string, stillOwned?: () => boolean): Source;
  /** Hand over records, in order per source, never more than the credit given: {@link Receiver.credit}. The array is core's from then on. */
  deliver(records: readonly IncomingRecord[]): void;
  /**
   * The receiver cannot go on without a change by somebody (rights taken away, topic deleted). It is closed by core. `NOT_FOUND` says
   * that the topic is gone: core opens another receiver as soon as {@link Adapter.exists} says that it is there again.
   */
  failed(error: unknown): void;
}

/**
 * One period of ownership. After `drain` or `lost` it is over for good; owning again means a new source. One of the two must come,
 * also when nothing of it is left to settle: core remembers a source, and all that it refers to, until then.
 */
export interface Source {
  readonly name: string;
  /**
   * Give up by own will: no handler of this source starts any more; resolves when the running ones ended and their
   * settlements were handed to {@link Receiver.settle}. Records not handled are dropped by core: the adapter returns them
   * to the group.
   */
  drain(): Promise<void>;
  /** Ownership is gone. Running handlers are told through their signal; nothing of this source is settled any more. */
  lost(error?: unknown): void;
}

/** A message on its way in. Adapters add private fields of their own (offset, delivery tag, receipt handle). */
export interface IncomingRecord {
  readonly source: Source;
  /** Where it stands on the broker, for people and receipts. */
  readonly position: string;
  /** The sender's id, or one made from the position when a native producer gave none. */
  readonly id: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly time: number;
  /** Undefined: the topic's own. */
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  /** Handler calls that this group made for the record before, as far as is known. 0 on a first delivery. */
  readonly attempts: number;
  /** The broker gave this record to a member of this group before. */
  readonly redelivered: boolean;
  /**
   * Why the broker has taken the record out of the group's line by limits of its own, in its words: no handler gets it, core makes a
   * dead letter of it. Undefined: it has not.
   */
  readonly givenUp?: string | undefined;
}

/** One topic, received for one group. While a record is unsettled the adapter keeps its lease alive, or says `lost`. */
export interface Receiver {
  /**
   * Core takes `records` more, with bodies of `bytes` more. Starts at 0 and 0. Pausing is giving none: that must lose no
   * membership. A record must wait until both suffice for it; only one larger than all of `maxInFlightBytes` goes when nothing
   * else is under way ({@link ByteCredit} counts that). What has come from the broker meanwhile waits with the adapter, which
   * bounds it and says how in its `backpressure` row.
   */
  credit(records: number, bytes: number): void;
  /**
   * These are done. Returns at once; the adapter tells the broker in the background, in batches, and repeats until it is
   * told or the source is over. Any order, any sources.
   */
  settle(records: readonly IncomingRecord[]): void;
  /**
   * `attempts` handler calls for `record` have failed. It stays unsettled and owned; whoever in the group gets it next, even
   * after a crash, should learn the number (`IncomingRecord.attempts`) as far as the capability row says.
   */
  hold(record: IncomingRecord, attempts: number): void;
  /** Messages of the topic that this group has yet to settle, as far as the broker tells. */
  lag(): Promise<number>;
  /**
   * Leave. Core has drained its handlers and handed over their settlements: they are on the broker before this resolves.
   * Everything unsettled goes back to the group at once. Idempotent.
   */
  close(): Promise<void>;
}

/* ---- primitive 3: read without consuming -------------------------------------------------------------------------- */

/** A record that a reader saw. */
export type ReadRecord = Omit<IncomingRecord, 'source' | 'attempts' | 'redelivered' | 'givenUp'>;

/** Core's side of a reader. No method throws or rejects. */
export interface ReaderSink {
  /** In the order of each lane. The adapter hands over no more until it has resolved, and keeps at most about 1 MiB read ahead. */
  read(records: readonly ReadRecord[]): Promise<void>;
  /** The reader cannot go on without a change by somebody. It is closed by core. */
  failed(error: unknown): void;
}

/** Reads one topic without a group. After an outage it goes on where it stood: nothing is left out, nothing comes twice. */
export interface Reader {
  /** Idempotent. Nothing is handed over any more, nothing of it is left on the broker. */
  close(): Promise<void>;
}
