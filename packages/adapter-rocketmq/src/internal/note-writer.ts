import { type AdapterRuntime, messageOf, type Timer } from '@anymq/core/adapter';
import type { AttemptNotes, Note } from '../topology.js';

/** Requests under way at once: the name servers write all that they keep for each of them, one after the other. */
const MAX_CALLS = 8;

/** Timers apart: what is due almost together goes together. */
const STEP_MS = 25;

/** A message that something is to be known about. */
export interface Subject {
  readonly id: string;
  readonly messageId: string;
  /** There may be a note on the name servers. */
  noted: boolean;
}

export interface Word {
  readonly subject: Subject;
  /** Undefined: nothing is to be known any more. */
  readonly note: Note | undefined;
}

/** A word that can wait: it may be taken back before anybody is told. */
interface Draft {
  readonly word: Word;
  /** Monotonic milliseconds. */
  readonly due: number;
}

export interface NoteWriterSettings {
  readonly runtime: AdapterRuntime;
  readonly attempts: AttemptNotes;
  readonly group: string;
  /** How long a draft waits. */
  readonly lazyMs: number;
  /** A word has arrived. */
  arrived(word: Word): void;
}

/**
 * Brings words to the name servers, few at once. The last word about a message is the last that they get; of what is replaced
 * while it waits they hear nothing.
 */
export class NoteWriter {
  readonly #settings: NoteWriterSettings;
  /** By message, the oldest first. */
  readonly #drafts = new Map<string, Draft>();
  readonly #waiting = new Map<string, Word>();
  readonly #writing = new Map<string, Word>();
  #timer: Timer | undefined;
  #idle: (() => void)[] = [];

  constructor(settings: NoteWriterSettings) {
    this.#settings = settings;
  }

  /** To be written when it is still so in a while, counted from the first draft about the message. */
  draft(word: Word): void {
    const { messageId } = word.subject;
    if (this.#waiting.has(messageId)) this.#waiting.set(messageId, word);
    else {
      const { runtime, lazyMs } = this.#settings;
      const due = this.#drafts.get(messageId)?.due ?? runtime.clock.monotonic() + lazyMs;
      this.#drafts.set(messageId, { word, due });
      this.#arm();
    }
  }

  /** To be written now. */
  write(word: Word): void {
    const { messageId } = word.subject;
    this.#drafts.delete(messageId);
    this.#waiting.set(messageId, word);
    this.#next();
  }

  /** What is not begun is not written. */
  drop({ messageId }: Subject): void {
    this.#drafts.delete(messageId);
    this.#waiting.delete(messageId);
  }

  /** Nothing is to be known any more: of what nobody was told nobody hears. */
  forget(subject: Subject): void {
    this.drop(subject);
    if (subject.noted) this.write({ subject, note: undefined });
  }

  /** The last word that the name servers may not have yet. */
  pending(messageId: string): Word | undefined {
    return this.#drafts.get(messageId)?.word ?? this.#waiting.get(messageId) ?? this.#writing.get(messageId);
  }

  /** Drafts count as due. Everything is on the name servers, or was said to be not, when it resolves. */
  async written(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#take(Number.POSITIVE_INFINITY);
    while (this.#waiting.size + this.#writing.size > 0) await new Promise<void>((wake) => this.#idle.push(wake));
  }

  #arm(): void {
    const [first] = this.#drafts.values();
    if (first === undefined || this.#timer !== undefined) return;
    const { clock } = this.#settings.runtime;
    this.#timer = clock.setTimer(Math.max(STEP_MS, first.due - clock.monotonic()), () => {
      this.#timer = undefined;
      this.#take(clock.monotonic());
      this.#arm();
    });
  }

  #take(now: number): void {
    for (const [messageId, { word, due }] of this.#drafts) {
      if (due > now) break;
      this.#drafts.delete(messageId);
      this.#waiting.set(messageId, word);
    }
    this.#next();
  }

  #next(): void {
    for (const [messageId, word] of this.#waiting) {
      if (this.#writing.size >= MAX_CALLS) return;
      // One after the other: the last word must be the last on the name servers.
      if (this.#writing.has(messageId)) continue;
      this.#waiting.delete(messageId);
      this.#send(word);
    }
  }

  async #send(word: Word): Promise<void> {
    const { subject, note } = word;
    const { id, messageId } = subject;
    const { attempts, group, runtime, arrived } = this.#settings;
    this.#writing.set(messageId, word);
    subject.noted = note !== undefined;
    try {
      if (note === undefined) await attempts.forget(group, messageId);
      else await attempts.note(group, messageId, note);
      arrived(word);
    } catch (error) {
      runtime.log.warn(`What happened to message '${id}' could not be noted: ${messageOf(error)}`);
    }
    this.#writing.delete(messageId);
    this.#next();
    if (this.#waiting.size + this.#writing.size === 0) for (const wake of this.#idle.splice(0)) wake();
  }
}
