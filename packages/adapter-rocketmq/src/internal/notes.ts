import { type AdapterRuntime, messageOf, sleep } from '@anymq/core/adapter';
import type { NativeDelivery } from '../codec.js';
import type { AttemptNotes, Note } from '../topology.js';
import type { Entry } from './batch.js';
import { NoteWriter, type Word } from './note-writer.js';
import { within } from './within.js';

/** In the place of a number of failed calls: it was settled, and comes again only because something before it was not. */
const SETTLED = -1;
/** What has failed is noted when it is still unsettled after so long: most is tried again and done before. */
const LAZY_MS = 250;
/** How old may be, when a message of a keyed topic arrives, what is known of the group's notes. */
const FRESH_MS = 500;
/** So long after the last note messages may go back: by then nobody counts on what he knew before it. */
const NOTICED_MS = FRESH_MS + 100;
const READ_TIMEOUT_MS = 1_000;
/** What cannot be read is not asked for again with every answer. */
const FAILED_MS = 10_000;

type Known = Map<string, Note>;

export interface NotesSettings {
  readonly runtime: AdapterRuntime;
  readonly attempts: AttemptNotes;
  readonly group: string;
  readonly keyed: boolean;
}

/**
 * What whoever gets a message next should know about it: written for what is still unsettled a moment after it failed, and on
 * leaving for what comes again although it was settled. On a topic without a key the broker counts deliveries by message, and
 * only what comes again is looked up. On a keyed topic it does not: an answer that brings anything new says of all that it holds
 * that it comes for the first time. There all notes of the group are read at once, when what is known is older than
 * {@link FRESH_MS}, whatever the number of messages.
 */
export class Notes {
  readonly #settings: NotesSettings;
  readonly #writer: NoteWriter;
  /** With what was written here since. */
  #known: Promise<Known> = Promise.resolve(new Map());
  /** When it was asked for; monotonic milliseconds, as the next. */
  #knownAt = Number.NEGATIVE_INFINITY;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(settings: NotesSettings) {
    this.#settings = settings;
    this.#writer = new NoteWriter({ ...settings, lazyMs: LAZY_MS, arrived: (word) => this.#arrived(word) });
  }

  failed(entry: Entry, attempts: number): void {
    this.#writer.draft(wordOf(entry, attempts));
  }

  /** It is done, the broker is about to be told: what of it is not noted yet need not be. */
  done(entry: Entry): void {
    this.#writer.drop(entry);
  }

  /** It is done, and comes again all the same. */
  settled(entry: Entry): void {
    this.#writer.write(wordOf(entry, SETTLED));
  }

  /** The broker knows that it is done. */
  forget(entry: Entry): void {
    this.#writer.forget(entry);
  }

  /** Nothing waits any more. Everything is on the name servers, or was said to be not, when it resolves. */
  written(): Promise<void> {
    return this.#writer.written();
  }

  /** As {@link written}, and whoever gets a message from now on knows it. */
  async noticed(): Promise<void> {
    const { keyed, runtime } = this.#settings;
    await this.written();
    const left = this.#writtenAt + NOTICED_MS - runtime.clock.monotonic();
    if (keyed && left > 0) await sleep(runtime.clock, left);
  }

  /**
   * A number for each: failed calls, or negative for what was settled. Undefined when there is nothing to say about any.
   * @param answer all that came with them
   */
  async read(
    deliveries: readonly NativeDelivery[],
    answer: readonly NativeDelivery[],
  ): Promise<readonly number[] | undefined> {
    if (deliveries.length === 0) return undefined;
    // First: what reaches the name servers between their answer and its arrival is not in it, and is pending no more.
    const own = deliveries.map(({ messageId }) => this.#writer.pending(messageId)?.note?.attempts ?? 0);
    const found = this.#settings.keyed ? await this.#lookUp(deliveries, answer) : await this.#askFor(deliveries);
    if (found === undefined) return own.some((attempts) => attempts !== 0) ? own : undefined;
    return found.map((attempts, index) => later(attempts, own[index] ?? 0));
  }

  async #askFor(deliveries: readonly NativeDelivery[]): Promise<readonly number[] | undefined> {
    if (deliveries.every(({ deliveryAttempt }) => deliveryAttempt <= 1)) return undefined;
    return Promise.all(deliveries.map((each) => (each.deliveryAttempt > 1 ? this.#readOne(each) : 0)));
  }

  async #lookUp(
    deliveries: readonly NativeDelivery[],
    answer: readonly NativeDelivery[],
  ): Promise<readonly number[] | undefined> {
    const now = this.#settings.runtime.clock.monotonic();
    if (now - this.#knownAt >= FRESH_MS) {
      this.#knownAt = now;
      this.#known = this.#readAll();
    }
    const known = await this.#known;
    if (known.size === 0) return undefined;
    this.#tidy(known, answer);
    return deliveries.map(({ messageId }) => known.get(messageId)?.attempts ?? 0);
  }

  async #readAll(): Promise<Known> {
    const { attempts, group, runtime } = this.#settings;
    let known: Known | undefined;
    let why: unknown = `no answer within ${READ_TIMEOUT_MS} ms`;
    const reading = attempts.all(group).then(
      (all) => {
        known = new Map(all);
      },
      (error) => {
        why = error;
      },
    );
    await within(runtime.clock, READ_TIMEOUT_MS, reading);
    if (known !== undefined) return known;
    this.#knownAt += FAILED_MS;
    runtime.log.warn(`What is noted about messages could not be read, they count as new: ${messageOf(why)}`);
    return new Map();
  }

  /** A queue gives from its first unsettled message on: notes about what is below were left by somebody who died. */
  #tidy(known: Known, answer: readonly NativeDelivery[]): void {
    const lowest = new Map<string, number>();
    for (const { queue, offset } of answer) lowest.set(queue, Math.min(offset, lowest.get(queue) ?? offset));
    for (const [messageId, { queue, offset }] of known) {
      if (offset >= (lowest.get(queue) ?? 0)) continue;
      known.delete(messageId);
      this.#writer.forget({ id: messageId, messageId, noted: true });
    }
  }

  async #readOne({ messageId }: NativeDelivery): Promise<number> {
    const { attempts, group, runtime } = this.#settings;
    try {
      return await attempts.read(group, messageId);
    } catch (error) {
      runtime.log.warn(`What is noted about a message could not be read, it counts as new: ${messageOf(error)}`);
      return 0;
    }
  }

  /** What is known stays true without a question. */
  #arrived({ subject, note }: Word): void {
    if (note !== undefined) this.#writtenAt = this.#settings.runtime.clock.monotonic();
    this.#known = this.#known.then((known) => {
      if (note === undefined) known.delete(subject.messageId);
      else if (this.#settings.keyed) known.set(subject.messageId, note);
      return known;
    });
  }
}

const wordOf = (subject: Entry, attempts: number): Word => {
  const { queue, offset } = subject;
  return { subject, note: { attempts, queue, offset } };
};

/** Of two numbers of failed calls: calls are never taken back, and what was settled is. */
const later = (one: number, other: number): number => (Math.min(one, other) < 0 ? SETTLED : Math.max(one, other));
