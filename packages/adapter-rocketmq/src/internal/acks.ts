import { type AdapterRuntime, type Backoff, messageOf, type Timer } from '@anymq/core/adapter';
import { isLeaseLost, StatusError } from '../errors.js';
import type { Batch, Entry } from './batch.js';
import type { Subscription } from './calls.js';

/** One request takes more, but nothing is gained. */
const MAX_ENTRIES = 32;
/** How long an acknowledgement waits for others. */
const FLUSH_MS = 3;
const MAX_CALLS = 4;
const OK = 20_000;

export interface AcksSettings {
  readonly runtime: AdapterRuntime;
  readonly subscription: Subscription;
  /** False: it is added again as soon as it is. */
  possible(entry: Entry): boolean;
  done(entry: Entry): void;
  lost(batch: Batch, error: unknown): void;
}

/** Tells the broker what is done, many in one request, and repeats it as long as the lease stands. */
export class Acks {
  readonly #settings: AcksSettings;
  readonly #queue = new Set<Entry>();
  #timer: Timer | undefined;
  #calls = 0;
  #backoff: Backoff | undefined;
  #idle: (() => void)[] = [];
  #paused = false;

  constructor(settings: AcksSettings) {
    this.#settings = settings;
  }

  add(entry: Entry): void {
    this.#queue.add(entry);
    if (this.#queue.size >= MAX_ENTRIES) this.flush();
    else this.#later(FLUSH_MS);
  }

  flush(): void {
    // After a failure the wait is for the broker's sake.
    if (this.#paused || (this.#backoff !== undefined && this.#timer !== undefined)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#queue.size > 0 && this.#calls < MAX_CALLS) {
      const entries = this.#take(MAX_ENTRIES);
      if (entries.length > 0) this.#send(entries);
    }
    if (this.#queue.size === 0 && this.#calls === 0) this.#wake();
  }

  /** Resolves when there is nothing left to tell. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#queue.size > 0 || this.#calls > 0) await new Promise<void>((wake) => this.#idle.push(wake));
  }

  /** Nothing is written after it resolved, until {@link resume}. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (this.#calls > 0) await new Promise<void>((wake) => this.#idle.push(wake));
  }

  resume(): void {
    this.#paused = false;
    this.flush();
    this.#wake();
  }

  /** Forgets what could not be told. Returns how many that were. */
  stop(): number {
    this.#timer?.cancel();
    this.#timer = undefined;
    const untold = this.#queue.size;
    this.#queue.clear();
    return untold;
  }

  #take(max: number): Entry[] {
    const taken: Entry[] = [];
    for (const entry of this.#queue) {
      if (taken.length === max) break;
      this.#queue.delete(entry);
      if (this.#settings.possible(entry)) taken.push(entry);
    }
    return taken;
  }

  #later(ms: number): void {
    this.#timer ??= this.#settings.runtime.clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.flush();
    });
  }

  async #send(entries: Entry[]): Promise<void> {
    this.#calls++;
    const handles = entries.map(({ receiptHandle }) => receiptHandle);
    try {
      const codes = await this.#settings.subscription.acknowledge(entries);
      this.#backoff = undefined;
      entries.forEach((entry, index) => {
        this.#answered(entry, codes[index] as number, handles[index] as string);
      });
    } catch (error) {
      this.#settings.runtime.log.debug(`${entries.length} acknowledgements are repeated: ${messageOf(error)}`);
      for (const entry of entries) this.#repeat(entry, error);
    }
    this.#calls--;
    this.#next();
  }

  #next(): void {
    if (this.#queue.size > 0) this.flush();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  #answered(entry: Entry, code: number, handle: string): void {
    if (code === OK && handle === entry.receiptHandle) {
      this.#settings.done(entry);
      return;
    }
    // With a handle that has changed meanwhile it was for nothing, whatever the answer.
    if (handle !== entry.receiptHandle) {
      this.add(entry);
      return;
    }
    const error = new StatusError(code, `message ${entry.position}`, 'an acknowledgement');
    if (isLeaseLost(code)) this.#settings.lost(entry.batch, error);
    else this.#repeat(entry, error);
  }

  #repeat(entry: Entry, error: unknown): void {
    const { runtime, lost } = this.#settings;
    if (entry.batch.over || runtime.clock.monotonic() >= entry.leaseUntil) {
      lost(entry.batch, error);
      return;
    }
    this.#backoff ??= runtime.backoff();
    this.#queue.add(entry);
    this.#later(this.#backoff.next());
  }
}
