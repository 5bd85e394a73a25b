/** What every line of a history carries. */
interface At {
  /**
   * Microseconds of the machine's monotonic clock. Trap: comparable between processes of one Linux machine only, where
   * `process.hrtime.bigint()` reads CLOCK_MONOTONIC, which all processes share; never between machines or containers with a time
   * namespace of their own.
   */
  readonly t: number;
  /**
   * The process it is about. One life of a process has one name, or its lives are told apart by `member` `killed`, then
   * `started`.
   */
  readonly process: string;
}

/** A send is about to be asked for. Ids are unique in the run. */
export interface SendingEvent extends At {
  readonly kind: 'sending';
  readonly id: string;
  /** Absent: no order is asked for. With several topics, name the topic in it: keys are compared over the whole history. */
  readonly key?: string;
  /** Rises with every send of this process within the key; gaps are fine. */
  readonly n: number;
}

/**
 * The send is about to be written to the broker; again before every repetition. Where a process writes these, a send without one
 * waits in the process: no fault finds it in flight. Where it writes none, a send is in flight from its `sending` on.
 */
export interface WritingEvent extends At {
  readonly kind: 'writing';
  readonly id: string;
}

/** The send was confirmed. */
export interface SentEvent extends At {
  readonly kind: 'sent';
  readonly id: string;
}

/** The send failed for certain: the message must never arrive. */
export interface RefusedEvent extends At {
  readonly kind: 'refused';
  readonly id: string;
  readonly code: string;
}

/** The send's outcome is unknown (`INDETERMINATE`): the message may arrive, now or later, or never. */
export interface UnknownEvent extends At {
  readonly kind: 'unknown';
  readonly id: string;
}

/** A handler was called. */
export interface BeginEvent extends At {
  readonly kind: 'begin';
  readonly group: string;
  readonly id: string;
  readonly key?: string;
  readonly n: number;
  readonly attempt: number;
  readonly redelivered: boolean;
  /** The partition, bucket or queue it came from, where one is known. */
  readonly source?: string;
  /** `delivery.position`: unique within a topic, so name the topic in it where there are several. Empty: not known. */
  readonly position: string;
}

/** How a handler call can end. */
export type CallOutcome = 'ack' | 'failed' | 'rejected';

/** A handler decided. Written before the decision counts; whether the broker ever heard of it is another matter. */
export interface EndEvent extends At {
  readonly kind: 'end';
  readonly group: string;
  readonly id: string;
  /** `failed`: the message is to be handled again. `rejected`: it is given up, and becomes a dead letter. */
  readonly outcome: CallOutcome;
}

/** The acknowledgement of the message is known to stand on the broker. */
export interface SettledEvent extends At {
  readonly kind: 'settled';
  readonly group: string;
  readonly id: string;
}

/** A message on its way came to one who sends it on, as a delayed one does. `step` names where it waited: a topic, say. */
export interface HeldEvent extends At {
  readonly kind: 'held';
  readonly step: string;
  readonly id: string;
}

/** It was sent on; that its step is over is about to be told to the broker. */
export interface PassedEvent extends At {
  readonly kind: 'passed';
  readonly step: string;
  readonly id: string;
}

/** A fault of the world around the processes; `process` is whoever injects it. */
export interface FaultEvent extends At {
  readonly kind: 'fault';
  readonly name: string;
  readonly phase: 'begin' | 'heal';
  /** A figure that is positive only when the fault happened: connections cut, errors seen, milliseconds without an answer. */
  readonly proof?: number;
  /** With `heal`: how many of those it hit are known to have noticed, as connections that were made anew. */
  readonly noticed?: number;
  /** The only process that it hit. Absent: all of them. */
  readonly victim?: string;
}

/**
 * A member of a group, or with an empty group a process, changed. Record `killed` and `stopped` before the signal is sent: then
 * what is between is at most judged as one moment too lively, never as an overlap with the next owner that was none.
 */
export interface MemberEvent extends At {
  readonly kind: 'member';
  readonly group: string;
  /** `closed`: close() resolved, so that what it had acknowledged is settled. `stopped`, `continued`: SIGSTOP, SIGCONT. */
  readonly change: MemberChange;
}

/** What can become of a member. */
export type MemberChange = 'started' | 'closing' | 'closed' | 'killed' | 'stopped' | 'continued';

/** Something became of the dead letter of a message. */
export interface LetterEvent extends At {
  readonly kind: 'letter';
  readonly group: string;
  /** Of the message. */
  readonly id: string;
  /** Of the letter, where who recorded it knows it. */
  readonly letter?: string;
  readonly change: LetterChange;
}

/**
 * What can become of a dead letter. `kept`, `removed`: its write, its removal is known to stand on the broker. `redriving`: its message
 * is about to be written to its group. `listed`: it was there when `process` listed the letters; `listing` follows the last one.
 */
export type LetterChange = 'kept' | 'redriving' | 'removed' | 'listed';

/** `process` has listed all letters of a group. */
export interface ListingEvent extends At {
  readonly kind: 'listing';
  readonly group: string;
  /** So many `listed` were recorded. */
  readonly count: number;
}

/** A process kills itself where it had to: what it holds of these messages is unsettled, or its letter not removed. */
export interface CrashEvent extends At {
  readonly kind: 'crash';
  readonly point: string;
  readonly ids: readonly string[];
}

/** One line of a history. */
export type HistoryEvent =
  | SendingEvent
  | WritingEvent
  | SentEvent
  | RefusedEvent
  | UnknownEvent
  | BeginEvent
  | EndEvent
  | SettledEvent
  | HeldEvent
  | PassedEvent
  | FaultEvent
  | MemberEvent
  | LetterEvent
  | ListingEvent
  | CrashEvent;

/** Microseconds now, of the clock that all processes of one Linux machine share. */
export const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1000n);
