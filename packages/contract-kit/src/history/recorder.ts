import { closeSync, openSync, writeSync } from 'node:fs';
import {
  type CallOutcome,
  type FaultEvent,
  type HistoryEvent,
  type LetterEvent,
  type MemberChange,
  monotonicMicros,
} from './events.js';

/** Where whole lines go. `write` returns when they are safe from the death of this process. */
export interface Sink {
  write(lines: string): void;
  close(): void;
}

/** What identifies a send. */
export interface SendFields {
  readonly id: string;
  readonly key?: string | undefined;
  readonly n: number;
}

/** What a handler call is known by: a delivery plus the sender's number. */
export interface CallFields extends SendFields {
  readonly group: string;
  readonly attempt: number;
  readonly redelivered: boolean;
  readonly source?: string | undefined;
  readonly position: string;
}

/**
 * Writes the history of one process. Events wait in memory until {@link Recorder.flush}: `end`, `sent`, `fault` and `member` flush
 * by themselves. Trap: flush after `sending`, before the sends are asked for; a process that is killed between would otherwise have
 * sent what nobody attempted. Throws what the sink throws.
 */
export interface Recorder {
  sending(send: SendFields): void;
  writing(id: string): void;
  sent(id: string): void;
  refused(id: string, code: string): void;
  unknown(id: string): void;
  begin(call: CallFields): void;
  end(group: string, id: string, outcome: CallOutcome): void;
  settled(group: string, id: string): void;
  held(step: string, id: string): void;
  passed(step: string, id: string): void;
  fault(name: string, phase: 'begin' | 'heal', details?: FaultDetails): void;
  /** @param process whom it is about. @default the recorder's own process */
  member(group: string, change: MemberChange, process?: string): void;
  /** `redriving` flushes by itself. */
  letter(group: string, letter: LetterFields): void;
  /** Flushes by itself. @param count of the letters that were recorded as `listed` */
  listing(group: string, count: number): void;
  /** Flushes by itself. */
  crash(point: string, ids: readonly string[]): void;
  /** Returns when everything recorded is safe from the death of this process. */
  flush(): void;
  /** Flushes and closes the sink. */
  close(): void;
}

/** See {@link FaultEvent}. `t`: when it was, where more of it is known only later. @default now */
export type FaultDetails = Partial<Pick<FaultEvent, 'proof' | 'noticed' | 'victim' | 't'>>;

/** See {@link LetterEvent}. `id` is the message's. */
export type LetterFields = Pick<LetterEvent, 'id' | 'letter' | 'change'>;

/** How many characters may wait before they are written unasked. */
const MAX_WAITING = 64 * 1024;

/**
 * A recorder for one process.
 *
 * @param target a file that does not exist yet (one per life of a process: a torn last line must stay the last; throws EEXIST
 * otherwise), or a sink
 * @param now microseconds, never falling. @default the machine's monotonic clock
 */
export function createRecorder(target: string | Sink, process: string, now: () => number = monotonicMicros): Recorder {
  const { add, flush, close } = buffered(typeof target === 'string' ? fileSink(target) : target);
  const note = (event: Unstamped): void => add(JSON.stringify({ t: now(), process, ...event }));
  const noteNow = (event: Unstamped): void => {
    note(event);
    flush();
  };
  return {
    sending: ({ id, key, n }) => note({ kind: 'sending', id, ...(key !== undefined && { key }), n }),
    writing: (id) => note({ kind: 'writing', id }),
    sent: (id) => noteNow({ kind: 'sent', id }),
    refused: (id, code) => note({ kind: 'refused', id, code }),
    unknown: (id) => note({ kind: 'unknown', id }),
    begin: (call) => note(begun(call)),
    end: (group, id, outcome) => noteNow({ kind: 'end', group, id, outcome }),
    settled: (group, id) => note({ kind: 'settled', group, id }),
    held: (step, id) => note({ kind: 'held', step, id }),
    passed: (step, id) => note({ kind: 'passed', step, id }),
    fault: (name, phase, details) => noteNow({ kind: 'fault', name, phase, ...details }),
    member: (group, change, about = process) => noteNow({ kind: 'member', group, change, process: about }),
    letter: (group, { id, letter, change }) => {
      note({ kind: 'letter', group, id, ...(letter !== undefined && { letter }), change });
      if (change === 'redriving') flush();
    },
    listing: (group, count) => noteNow({ kind: 'listing', group, count }),
    crash: (point, ids) => noteNow({ kind: 'crash', point, ids }),
    flush,
    close,
  };
}

/** An event before it is written; without a process it is about the recorder's own. */
type Unstamped = HistoryEvent extends infer E
  ? E extends HistoryEvent
    ? Omit<E, 't' | 'process'> & { readonly process?: string; readonly t?: number }
    : never
  : never;

/** Picks the fields, so that a whole delivery can be handed in without its value being written. */
function begun({ group, id, key, n, attempt, redelivered, source, position }: CallFields): Unstamped {
  const optional = { ...(key !== undefined && { key }), ...(source !== undefined && { source }) };
  return { kind: 'begin', group, id, n, attempt, redelivered, position, ...optional };
}

function buffered(sink: Sink) {
  let waiting = '';
  const flush = (): void => {
    if (waiting === '') return;
    const lines = waiting;
    waiting = '';
    sink.write(lines);
  };
  const add = (line: string): void => {
    waiting += `${line}\n`;
    if (waiting.length >= MAX_WAITING) flush();
  };
  const close = (): void => {
    flush();
    sink.close();
  };
  return { add, flush, close };
}

function fileSink(file: string): Sink {
  const fd = openSync(file, 'ax');
  return {
    // The page cache outlives the process, which is all that is asked for: no fsync.
    write: (lines) => writeAll(fd, Buffer.from(lines)),
    close: () => closeSync(fd),
  };
}

/** Trap: one writeSync may write less than it was given. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
