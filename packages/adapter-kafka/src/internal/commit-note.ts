import { capacityOf, decode, encode } from './base32768.js';
import type { Progress, Range } from './offset-tracker.js';

/** What Kafka allows for the metadata text of a commit, in UTF-16 units (`offset.metadata.max.bytes`). */
export const MAX_NOTE_LENGTH = 4096;

/** What stands beside a committed offset: the group's charter and what is known above the offset. */
export interface CommitNote {
  /** Undefined where somebody else committed, for instance a tool that reset the group's position. */
  readonly charter: string | undefined;
  readonly progress: Progress;
  /** As it is stored. */
  readonly text: string;
}

export interface EncodedNote {
  readonly text: string;
  /** False: not everything found room; what was left out is delivered again after a change of owner. */
  readonly complete: boolean;
}

/*
 * anymq1:<length of the charter>:<charter><bytes in base 32768>
 *
 * The bytes are numbers of 7 bits each, lowest first: how many attempts are noted; for each its distance from the one before
 * (from the offset, for the first) and its count; then, from the committed offset on, the lengths of what is unfinished and
 * finished in turn, ended by a zero.
 */
const HEAD = /^anymq1:(\d{1,4}):/;

export function encodeNote(charter: string, progress: Progress): EncodedNote {
  const head = `anymq1:${charter.length}:${charter}`;
  const capacity = capacityOf(MAX_NOTE_LENGTH - head.length);
  const bytes: number[] = [];
  const attempts = writeAttempts(bytes, progress, capacity);
  const runs = writeRuns(bytes, progress, capacity);
  return { text: head + encode(bytes), complete: attempts && runs };
}

/** @param offset what was committed with it */
export function decodeNote(offset: number, stored: string | null): CommitNote {
  const text = stored ?? '';
  const head = HEAD.exec(text);
  if (head === null) return { charter: undefined, progress: nothingAbove(offset), text };
  const begin = head[0].length + Number(head[1]);
  const bytes = decode(text.slice(begin));
  return {
    charter: text.slice(head[0].length, begin),
    progress: bytes === undefined ? nothingAbove(offset) : read(offset, bytes),
    text,
  };
}

/** A position with nothing known above it. */
export const nothingAbove = (prefix: number): Progress => ({ prefix, finished: [], attempts: [], seen: prefix });

/** Messages that a group has yet to settle in a log that ends at `end`. */
export function unfinishedBy(note: CommitNote | undefined, end: number): number {
  if (note === undefined) return end;
  const { prefix, finished } = note.progress;
  return Math.max(0, end - prefix - finished.reduce((sum, { from, to }) => sum + to - from, 0));
}

/** Room that the end mark takes. */
const END = 1;

function writeAttempts(bytes: number[], progress: Progress, capacity: number): boolean {
  const body: number[] = [];
  let before = progress.prefix;
  let count = 0;
  // Three bytes are left for the number of entries itself.
  for (const [offset, attempts] of progress.attempts) {
    const entry: number[] = [];
    writeNumber(entry, offset - before);
    writeNumber(entry, attempts);
    if (body.length + entry.length + 3 + END > capacity) break;
    body.push(...entry);
    before = offset;
    count += 1;
  }
  writeNumber(bytes, count);
  for (const byte of body) bytes.push(byte);
  return count === progress.attempts.length;
}

function writeRuns(bytes: number[], progress: Progress, capacity: number): boolean {
  let cursor = progress.prefix;
  let complete = true;
  for (const { from, to } of progress.finished) {
    const run: number[] = [];
    writeNumber(run, from - cursor);
    writeNumber(run, to - from);
    if (bytes.length + run.length + END > capacity) {
      complete = false;
      break;
    }
    bytes.push(...run);
    cursor = to;
  }
  const tail: number[] = [];
  if (complete && progress.seen > cursor) writeNumber(tail, progress.seen - cursor);
  if (bytes.length + tail.length + END <= capacity) bytes.push(...tail);
  bytes.push(0);
  return complete;
}

function read(prefix: number, bytes: readonly number[]): Progress {
  const reader = new Reader(bytes);
  const attempts: [number, number][] = [];
  let offset = prefix;
  for (let left = reader.number(); left > 0 && !reader.ended; left--) {
    offset += reader.number();
    attempts.push([offset, reader.number()]);
  }
  const finished: Range[] = [];
  let cursor = prefix;
  for (;;) {
    const unfinished = reader.number();
    if (unfinished === 0) break;
    const from = cursor + unfinished;
    cursor = from + reader.number();
    if (cursor === from) break;
    finished.push({ from, to: cursor });
  }
  return { prefix, finished, attempts, seen: cursor };
}

function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  // No bit operators: offsets have more than 32 bits.
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

class Reader {
  readonly #bytes: readonly number[];
  #at = 0;

  constructor(bytes: readonly number[]) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** 0 at the end. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte % 0x80) * scale;
      if (byte < 0x80) return value;
    }
  }
}
