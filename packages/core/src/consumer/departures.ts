import type { Backoff, OutgoingRecord, TopicSpec } from '../adapter/spi.js';
import type { Clock } from '../clock.js';
import type { Post } from '../system/post.js';
import { DueQueue } from './due-queue.js';
import type { Ownership } from './ownership.js';
import type { Work } from './work.js';

/** One try to write, resends included. Then it is an event, a wait and the next try. */
const TRY_MS = 10_000;

/** Where something is to be stored. */
export interface Destination {
  readonly post: Post;
  readonly spec: TopicSpec;
  readonly record: OutgoingRecord;
}

/** Why a message leaves its subscription: it is given up, or is to come again later. */
export type Departure = 'letter' | 'release';

/** A message that leaves its subscription. */
export interface Leaving {
  readonly work: Work;
  readonly what: Departure;
  /** Asked before each try. What it throws is a try that failed. */
  readonly destination: () => Destination;
  /** `written` says whether it is stored durably; if not, nobody tries any more. */
  readonly end: (written: boolean) => void;
}

export interface DeparturesSettings {
  readonly clock: Clock;
  readonly backoff: () => Backoff;
  /** It was not written; it is tried again while it is ours. */
  failed(work: Work, what: Departure, error: unknown): void;
}

/** Writes what leaves a subscription somewhere durable, for as long as it takes: only then is it settled. */
export class Departures {
  readonly #settings: DeparturesSettings;
  readonly #backoffs = new WeakMap<Leaving, Backoff>();
  readonly #waiting: DueQueue<Leaving>;
  /** Ends the tries under way. */
  readonly #close = new AbortController();
  #stopped = false;

  constructor(settings: DeparturesSettings) {
    this.#settings = settings;
    this.#waiting = new DueQueue(settings.clock, (due) => {
      for (const leaving of due) void this.#write(leaving);
    });
  }

  /** Tries until it is stored, or not ours any more. */
  give(leaving: Leaving): void {
    // Never before the caller is done: `end` changes what it is about to change.
    queueMicrotask(() => this.#write(leaving));
  }

  /** `source` is being given up: what waits for another try is not tried here any more. A try under way goes on to its end. */
  discard(source: Ownership): void {
    this.#drop(({ work }) => work.source === source);
  }

  /** Nothing is tried again. */
  stop(): void {
    this.#stopped = true;
    this.#drop(() => true);
  }

  /** Ends the tries under way: nobody waits for them any more. */
  close(): void {
    this.#close.abort();
    this.stop();
    this.#waiting.stop();
  }

  #drop(gone: (leaving: Leaving) => boolean): void {
    for (const { end } of this.#waiting.discard(gone)) end(false);
  }

  async #write(leaving: Leaving): Promise<void> {
    // Lost meanwhile: whoever has the message now writes it.
    if (!leaving.work.source.settles) return leaving.end(false);
    try {
      const { post, spec, record } = leaving.destination();
      await post.send(spec, record, { timeoutMs: TRY_MS, signal: this.#close.signal });
    } catch (error) {
      this.#failed(leaving, error);
      return;
    }
    leaving.end(true);
  }

  #failed(leaving: Leaving, error: unknown): void {
    const { work, what, end } = leaving;
    const { clock, failed } = this.#settings;
    if (!this.#close.signal.aborted && work.source.settles) failed(work, what, error);
    if (this.#stopped || !work.source.owned) end(false);
    else this.#waiting.add(leaving, clock.monotonic() + this.#backoffOf(leaving).next());
  }

  #backoffOf(leaving: Leaving): Backoff {
    let backoff = this.#backoffs.get(leaving);
    if (backoff === undefined) {
      backoff = this.#settings.backoff();
      this.#backoffs.set(leaving, backoff);
    }
    return backoff;
  }
}
