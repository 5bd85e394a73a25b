import type { Logger } from '../logger.js';
import type { DelayNote } from '../system/parcel.js';
import type { Post } from '../system/post.js';
import type { Delays } from './delays.js';
import type { Held, LinePolicy } from './forwarder.js';
import { HEAD_START_MS } from './lines.js';

/** As the gate's. */
const SEND_MS = 120_000;
/** What the broker held back and gave too early, by our clock, waits so long at most before the broker gets it again. */
const EARLY_MS = 60_000;
/** What is overdue by more goes to the gate directly. */
const OVERDUE_MS = 10_000;

export interface LevelSettings {
  /** How long the line holds each message; undefined where the broker does, as long as it takes. */
  readonly dwellMs: number | undefined;
  readonly delays: Pick<Delays, 'place'>;
  readonly post: Post;
  readonly log: Logger;
  readonly now: () => number;
}

/** A line in which messages wait a part of their time: then they go to a shorter one, and in the end to the gate. */
export class LevelPolicy implements LinePolicy {
  readonly #settings: LevelSettings;

  constructor(settings: LevelSettings) {
    this.#settings = settings;
  }

  dueAt({ note: { delay } }: Held, now: number): number | undefined {
    if (delay === undefined) return undefined;
    const { dwellMs } = this.#settings;
    if (dwellMs === undefined) return Math.min(delay.deliverAt, now + EARLY_MS);
    // Not longer than the line holds anything, whatever the clock of whoever wrote it there said.
    return Math.min(delay.deliverAt - HEAD_START_MS, delay.enteredAt + dwellMs, now + dwellMs);
  }

  async leave({ message, note, signal }: Held): Promise<boolean> {
    const { delays, post, log } = this.#settings;
    if (note.delay === undefined) return true;
    try {
      const { spec, record } = delays.place(message, note, note.delay, 'wait', this.#planned(note.delay));
      await post.send(spec, record, { timeoutMs: SEND_MS, signal });
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn('A delayed message cannot go to its next line yet.', { id: message.id, error });
      return false;
    }
  }

  /** When it was to leave. */
  #planned({ enteredAt, deliverAt }: DelayNote): number {
    const { dwellMs = Number.POSITIVE_INFINITY } = this.#settings;
    const now = this.#settings.now();
    return now - deliverAt > OVERDUE_MS ? now : Math.min(now, enteredAt + dwellMs);
  }
}
