import type { Adapter, Reader, ReaderSink, ReadRecord, TopicSpec } from '../adapter/spi.js';
import type { Timer } from '../clock.js';
import { codeOf, MessagingError, messageOf } from '../errors.js';
import { ask, orStopped, PATIENCE_MS } from './ask.js';
import { markerOf, markerRecord } from './marker.js';
import type { System } from './system.js';

/** How long, at most, nothing comes before another marker is sent; then twice that. */
const QUIET_MS = 500;

export interface FollowerSettings {
  readonly system: System;
  readonly spec: TopicSpec;
  /** Every record in order, without our markers. After a failure all of them come again. */
  readonly each: (record: ReadRecord) => void;
  /** Nobody will want anything any more. */
  readonly ended: AbortSignal;
}

/** Somebody waits for a marker of this number, or of a higher one. */
interface Wait {
  readonly number: number;
  readonly reached: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Reads a ledger from its beginning, and goes on: whoever must know everything up to now sends a marker and waits until it is read.
 *
 * All markers have one key, so that a ledger does not grow by being read, and a marker of somebody else may supersede ours before
 * we have seen it. A later one of our own system will do as well; and when nothing comes any more, another one follows.
 */
export class Follower {
  readonly #settings: FollowerSettings;
  readonly #waits = new Set<Wait>();
  /** Of the reader that is open or opens; a new object after each failure. */
  #course: Course | undefined;
  #progress = 0;
  #timer: Timer | undefined;

  constructor(settings: FollowerSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves when everything written before the call was given to `each`. Ends with the reason of `stop`, or with `TIMEOUT` when
   * nothing has come for 30 s.
   *
   * @param reached told where the marker stands, before anything behind it is given to `each`
   */
  async catchUp(stop: AbortSignal, reached = (): void => {}): Promise<void> {
    const course = this.#follow();
    await orStopped(course.opened, stop);
    const number = this.#settings.system.number();
    const caughtUp = new Promise<void>((resolve, failed) => {
      const there = (): void => {
        reached();
        resolve();
      };
      this.#wait({ number, reached: there, failed }, course);
    });
    await orStopped(caughtUp, stop);
  }

  /** Whoever waits hears of it; whoever asks afterwards begins anew. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#end(new MessagingError('CLOSED', `Nobody follows topic '${this.#settings.spec.name}' any more.`));
    await this.#leave(this.#course);
  }

  #follow(): Course {
    if (this.#course !== undefined) return this.#course;
    const course = new Course(this.#settings, {
      take: (record) => this.#take(record),
      progress: () => {
        this.#progress = this.#now();
      },
      failed: (error) => this.#failed(course, error),
    });
    this.#course = course;
    course.opened.catch(() => this.#leave(course));
    return course;
  }

  #wait(wait: Wait, course: Course): void {
    // It has failed meanwhile: nobody would tell.
    if (this.#course !== course) {
      wait.failed(course.error);
      return;
    }
    this.#progress = this.#now();
    this.#waits.add(wait);
    this.#mark(wait.number);
    this.#timer?.cancel();
    this.#watch(QUIET_MS);
  }

  #take(record: ReadRecord): void {
    const marker = markerOf(record);
    if (marker === undefined) this.#settings.each(record);
    else if (marker.by === this.#settings.system.uuid) for (const wait of this.#upTo(marker.number)) wait.reached();
  }

  /** Takes out who waits for this number, or for a lower one. */
  #upTo(number: number): readonly Wait[] {
    const found = [...this.#waits].filter((wait) => wait.number <= number);
    for (const wait of found) this.#waits.delete(wait);
    return found;
  }

  #failed(course: Course, error: unknown): void {
    this.#end(error);
    void this.#leave(course);
  }

  #end(error: unknown): void {
    for (const wait of this.#upTo(Number.POSITIVE_INFINITY)) wait.failed(error);
  }

  async #leave(course: Course | undefined): Promise<void> {
    if (this.#course === course) this.#course = undefined;
    await course?.close();
  }

  #mark(number: number): void {
    const { broker, post, uuid } = this.#settings.system;
    const { spec } = this.#settings;
    const record = markerRecord(spec, uuid, number, broker.runtime.clock.now());
    post.send(spec, record, { timeoutMs: PATIENCE_MS }).catch((error: unknown) => {
      for (const wait of this.#upTo(number)) wait.failed(unmarked(error));
    });
  }

  /** Jitter, so that two who supersede each other's markers do not do so again. */
  #watch(quietMs: number): void {
    const { clock, random } = this.#settings.system.broker.runtime;
    const since = this.#now();
    const wait = Math.min(quietMs * (0.5 + random() / 2), this.#progress + PATIENCE_MS - since);
    this.#timer = clock.setTimer(wait, () => {
      if (this.#waits.size === 0) return;
      if (this.#now() - this.#progress >= PATIENCE_MS && this.#course !== undefined)
        return this.#failed(this.#course, this.#timedOut());
      const quiet = this.#progress <= since;
      if (quiet) this.#mark(this.#settings.system.number());
      this.#watch(quiet ? quietMs * 2 : QUIET_MS);
    });
  }

  #timedOut(): MessagingError {
    const { system, spec } = this.#settings;
    return new MessagingError(
      'TIMEOUT',
      `Reading topic '${spec.name}' got nothing from broker '${system.broker.name}' for ${PATIENCE_MS} ms.`,
    );
  }

  #now(): number {
    return this.#settings.system.broker.runtime.clock.monotonic();
  }
}

interface CourseEvents {
  readonly take: (record: ReadRecord) => void;
  readonly progress: () => void;
  readonly failed: (error: unknown) => void;
}

/** One reader, from its opening to its end. */
class Course implements ReaderSink {
  readonly opened: Promise<Reader>;
  /** Why it has ended. */
  error: unknown;
  readonly #settings: FollowerSettings;
  readonly #events: CourseEvents;
  #over = false;
  #closing: Promise<void> | undefined;

  constructor(settings: FollowerSettings, events: CourseEvents) {
    this.#settings = settings;
    this.#events = events;
    this.opened = this.#open();
    this.opened.catch(() => {});
  }

  async read(records: readonly ReadRecord[]): Promise<void> {
    this.#events.progress();
    try {
      for (const record of records) if (!this.#over) this.#events.take(record);
    } catch (error) {
      this.#fail(error);
    }
  }

  failed(error: unknown): void {
    const { system, spec } = this.#settings;
    this.#fail(system.broker.wrap(error, `Cannot read topic '${spec.name}'`));
  }

  close(): Promise<void> {
    this.#over = true;
    this.#closing ??= this.opened.then(
      (reader) => this.#close(reader),
      () => {},
    );
    return this.#closing;
  }

  async #open(): Promise<Reader> {
    const { system, spec, ended } = this.#settings;
    let opening: Promise<Reader> | undefined;
    const operation = (adapter: Adapter): Promise<Reader> => {
      opening = adapter.openReader(spec, 'earliest', this);
      return opening;
    };
    try {
      return await ask(system, operation, `open topic '${spec.name}' for reading`, ended);
    } catch (error) {
      this.#over = true;
      this.error = error;
      // Nobody waits for it any more. Should it open after all, it is closed; the messaging waits for that.
      const late = opening?.then((reader) => this.#close(reader));
      if (late !== undefined) system.track(late).catch(() => {});
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.error = error;
    this.#events.failed(error);
  }

  async #close(reader: Reader): Promise<void> {
    const { system, spec } = this.#settings;
    await reader
      .close()
      .catch((error: unknown) =>
        system.broker.runtime.log.debug(`A reader of '${spec.name}' did not close: ${messageOf(error)}`),
      );
  }
}

/** Whether our marker stands there after all is nothing to the caller: a repeated call sends its own. */
function unmarked(error: unknown): unknown {
  if (codeOf(error) !== 'INDETERMINATE') return error;
  return new MessagingError('TIMEOUT', `The end of a ledger was not found: ${messageOf(error)}`, {
    cause: error,
  });
}
