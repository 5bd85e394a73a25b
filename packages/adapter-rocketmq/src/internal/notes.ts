import { type AdapterRuntime, messageOf } from '@anymq/core/adapter';
import type { NativeDelivery } from '../codec.js';
import type { AttemptNotes } from '../topology.js';
import type { Entry } from './batch.js';

/** In the place of a number of failed calls: it was settled, and comes again only because something before it was not. */
const SETTLED = -1;
/** How far behind a message that comes again something can have been settled: as far as one answer reaches, and some. */
const REACH = 64;

export interface NotesSettings {
  readonly runtime: AdapterRuntime;
  readonly attempts: AttemptNotes;
  readonly group: string;
}

/** What whoever gets a message next should know about it. Written for failures, read for what comes again. */
export class Notes {
  readonly #settings: NotesSettings;
  readonly #writing = new Set<Promise<void>>();
  /** By queue: up to where something may have been settled before. */
  readonly #suspect = new Map<string, number>();

  constructor(settings: NotesSettings) {
    this.#settings = settings;
  }

  failed(entry: Entry, attempts: number): void {
    const { attempts: notes, group } = this.#settings;
    this.#write(entry, () => notes.note(group, entry.messageId, attempts));
  }

  settled(entry: Entry): void {
    const { attempts: notes, group } = this.#settings;
    this.#write(entry, () => notes.note(group, entry.messageId, SETTLED));
  }

  /** Only when there is something to forget. */
  forget(entry: Entry): void {
    const { attempts: notes, group } = this.#settings;
    if (entry.noting !== undefined) this.#write(entry, () => notes.forget(group, entry.messageId));
  }

  /** Everything is on the broker, or was said to be not, when it resolves. */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** A number for each: failed calls, or negative for what was settled. Undefined when nothing comes again. */
  async read(deliveries: readonly NativeDelivery[]): Promise<readonly number[] | undefined> {
    for (const { deliveryAttempt, queue, offset } of deliveries) {
      if (deliveryAttempt > 1) this.#suspect.set(queue, Math.max(offset + REACH, this.#suspect.get(queue) ?? 0));
    }
    // The broker counts only what its last answer held: not all that comes again looks so.
    const suspect = deliveries.map(({ queue, offset }) => offset <= (this.#suspect.get(queue) ?? -1));
    if (!suspect.includes(true)) return undefined;
    return Promise.all(deliveries.map((delivery, index) => (suspect[index] ? this.#readOne(delivery) : 0)));
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

  #write(entry: Entry, write: () => Promise<void>): void {
    const { runtime } = this.#settings;
    const failed = (error: unknown): void => {
      runtime.log.warn(`What happened to message '${entry.id}' could not be noted: ${messageOf(error)}`);
    };
    // One after the other: the last word must be the last on the broker.
    const noting = (entry.noting ?? Promise.resolve()).then(write).catch(failed);
    entry.noting = noting;
    this.#writing.add(noting);
    noting.finally(() => this.#writing.delete(noting));
  }
}
