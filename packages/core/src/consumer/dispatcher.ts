import type { IncomingRecord } from '../adapter/spi.js';
import type { Clock, Timer } from '../clock.js';
import type { HandlerCalls, Result } from './calls.js';
import type { Departure, Departures, Destination } from './departures.js';
import type { Failure, FailurePolicy } from './failure.js';
import { DEFAULT_DELAY_MS } from './failure-options.js';
import { type Lane, Lanes } from './lanes.js';
import type { Letters } from './letters.js';
import type { ResolvedSubscribeOptions } from './options.js';
import type { Ownership } from './ownership.js';
import type { Releases } from './releases.js';
import { Waiting } from './waiting.js';
import { Work } from './work.js';

/** What the dispatcher tells its subscription. */
export interface DispatcherSink {
  /** To be settled, and its ownership still counts. */
  done(work: Work): void;
  /** A call failed; `work.attempts` says how many have. */
  failed(work: Work, error: unknown): void;
  /** It stays unsettled after `work.attempts` calls. */
  held(work: Work): void;
  /** No handler could be called, for that reason; it is tried again. */
  postponed(work: Work, error: unknown): void;
  /** Given up; {@link done} follows. `to`: where it is stored, undefined when nowhere. */
  gaveUp(work: Work, error: unknown, to: string | undefined): void;
  /** These are in nobody's hands any more, not settled. */
  dropped(works: readonly Work[]): void;
}

export interface DispatcherSettings {
  readonly options: ResolvedSubscribeOptions;
  readonly keyed: boolean;
  readonly calls: HandlerCalls;
  readonly policy: FailurePolicy;
  /** Undefined: the policy keeps nothing of what is given up. */
  readonly letters: Letters | undefined;
  /** Undefined: what waits for a retry is held here. */
  readonly releases: Releases | undefined;
  /** Writes what {@link letters} and {@link releases} make. */
  readonly departures: Departures;
  readonly clock: Clock;
  readonly sink: DispatcherSink;
}

/** Runs handlers: one after another within a lane, up to `concurrency` at once over all lanes. */
export class Dispatcher {
  readonly #settings: DispatcherSettings;
  readonly #calls: HandlerCalls;
  readonly #clock: Clock;
  readonly #sink: DispatcherSink;
  readonly #lanes = new Lanes();
  readonly #waiting: Waiting;
  #running = 0;
  /** What is being written elsewhere, or waits for that. */
  #leaving = 0;
  #paused = false;
  #stopped = false;
  #pumping = false;
  #linger: Timer | undefined;
  #idle: (() => void)[] = [];
  /** Calls that have begun and whose handler has not, while nothing may start. */
  #held: (() => void)[] = [];

  constructor(settings: DispatcherSettings) {
    this.#settings = settings;
    this.#calls = settings.calls;
    this.#clock = settings.clock;
    this.#sink = settings.sink;
    this.#waiting = new Waiting(settings.clock, this.#lanes, () => this.pump());
  }

  /** Deliveries that wait after a failure, and what stands behind them. */
  get held(): number {
    return this.#waiting.held + this.#leaving;
  }

  add(records: readonly IncomingRecord[]): void {
    const now = this.#clock.monotonic();
    const { keyed } = this.#settings;
    for (const record of records) {
      // What was given up has lost its place in its key's order: it need not wait for that, nor anything for it.
      const ordered = keyed && record.key !== undefined && record.givenUp === undefined;
      const lane = ordered ? this.#lanes.laneOf(record.key as string) : undefined;
      this.#lanes.add(new Work(record, lane, now));
    }
    this.pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#release();
    this.pump();
  }

  /** No handler starts from now on. Resolves when none runs, and nothing is on its way elsewhere. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#linger?.cancel();
    this.#waiting.stop();
    this.#release();
    this.#settings.departures.stop();
    if (this.#running + this.#leaving > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Drops everything of `source` that no handler has. */
  discard(source: Ownership): void {
    this.#release();
    const dropped = [...this.#lanes.discard(source), ...this.#waiting.discard(source)];
    if (dropped.length > 0) this.#sink.dropped(dropped);
    this.#settings.departures.discard(source);
  }

  /** For a call that had to ask something first: resolves when its handler may begin, with false when it never may. */
  async mayStart({ source }: Work): Promise<boolean> {
    while (this.#paused && !this.#stopped && source.owned) await new Promise<void>((wake) => this.#held.push(wake));
    return !this.#stopped && source.owned;
  }

  #release(): void {
    for (const wake of this.#held.splice(0)) wake();
  }

  /** Starts what may start. A handler that ends at once is taken up by the same loop, not by a deeper one. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { concurrency, batch } = this.#settings.options;
    while (!this.#paused && !this.#stopped && this.#running < concurrency) {
      if (!(batch === undefined ? this.#startOne() : this.#startBatch(batch))) break;
    }
    this.#pumping = false;
  }

  #startOne(): boolean {
    const work = this.#lanes.take();
    if (work === undefined) return false;
    if (!work.source.owned) return this.#drop(work);
    this.#running += 1;
    work.source.begin();
    const result = this.#calls.one(work);
    if (result instanceof Promise) result.then((later) => this.#endOne(work, later));
    else this.#endOne(work, result);
    return true;
  }

  /** Nobody says yet whose it is, but a handler of ours may start no more: the loss that is to be announced returns it. */
  #drop(work: Work): true {
    if (work.lane !== undefined) this.#waiting.next(work.lane);
    this.#sink.dropped([work]);
    return true;
  }

  #endOne(work: Work, result: Result): void {
    const again = this.#end(work, result);
    if (work.lane !== undefined) this.#waiting.next(work.lane, again ? [work] : undefined);
    else if (again) this.#waiting.add(work);
    this.#ended();
    work.source.end();
  }

  #startBatch({ size, maxWaitMs }: { size: number; maxWaitMs: number }): boolean {
    const oldest = this.#lanes.oldest();
    if (oldest === undefined) return false;
    const waitMs = oldest + maxWaitMs - this.#clock.monotonic();
    if (this.#lanes.readyCount < size && waitMs > 0) {
      this.#lingerFor(waitMs);
      return false;
    }
    const works = this.#lanes.takeBatch(size, this.#clock.monotonic());
    if (works.some(({ source }) => !source.owned)) return this.#dropBatch(works);
    this.#running += 1;
    for (const work of works) work.source.begin();
    this.#calls.many(works).then((results) => this.#endBatch(works, results));
    return true;
  }

  /** What is still ours of it goes back to where it stood. */
  #dropBatch(works: readonly Work[]): true {
    const lanes = new Map<Lane, Work[]>();
    for (const work of works) {
      const { lane, source } = work;
      const mine = lane === undefined ? undefined : (lanes.get(lane) ?? []);
      if (lane !== undefined && mine !== undefined) lanes.set(lane, mine);
      if (!source.owned) this.#sink.dropped([work]);
      else if (mine === undefined) this.#lanes.add(work);
      else mine.push(work);
    }
    for (const [lane, mine] of lanes) this.#waiting.next(lane, mine);
    return true;
  }

  #endBatch(works: readonly Work[], results: readonly Result[]): void {
    const lanes = new Map<Lane, Work[]>();
    for (const [i, work] of works.entries()) {
      const again = this.#end(work, results[i] as Result);
      if (work.lane === undefined) {
        if (again) this.#waiting.add(work);
        continue;
      }
      const failed = lanes.get(work.lane) ?? [];
      if (again) failed.push(work);
      lanes.set(work.lane, failed);
    }
    for (const [lane, failed] of lanes) this.#waiting.next(lane, failed);
    this.#ended();
    for (const work of works) work.source.end();
  }

  /** Settles one message of a call. True if it must be handled again here. */
  #end(work: Work, result: Result): boolean {
    work.delivery?.end();
    if (!work.source.settles || result.kind === 'untouched') return this.#giveBack(work);
    if (result.kind === 'ack') {
      this.#sink.done(work);
      return false;
    }
    if (result.kind !== 'postponed') return this.#failed(work, result);
    if (result.error !== undefined) this.#sink.postponed(work, result.error);
    return this.#later(work, DEFAULT_DELAY_MS);
  }

  #failed(work: Work, failure: Failure): boolean {
    const { policy, releases } = this.#settings;
    const counts = policy.counts(failure);
    if (counts) {
      work.attempts += 1;
      work.firstFailed ??= this.#clock.now();
    }
    const decision = policy.decide(failure, work.attempts);
    const { kind, error } = decision;
    const released = kind === 'retry' && releases !== undefined;
    // A copy carries the number itself.
    if (counts && kind !== 'discard' && !released) this.#sink.held(work);
    if (kind === 'retry' || policy.isFault(failure)) this.#sink.failed(work, error);
    if (kind !== 'retry') return this.#giveUp(work, kind, error);
    return released
      ? this.#leave('release', work, releases.write(work, decision.delayMs), () => {})
      : this.#later(work, decision.delayMs);
  }

  #later(work: Work, delayMs: number): boolean {
    if (!work.source.owned || this.#stopped) return this.#giveBack(work);
    work.due = this.#clock.monotonic() + delayMs;
    return true;
  }

  #giveBack(work: Work): false {
    this.#sink.dropped([work]);
    return false;
  }

  #giveUp(work: Work, kind: 'dead-letter' | 'discard', error: unknown): false {
    const { letters } = this.#settings;
    if (kind === 'dead-letter' && letters !== undefined) {
      const stored = (): void => this.#sink.gaveUp(work, error, letters.topic);
      return this.#leave('letter', work, letters.write(work, error), stored);
    }
    this.#sink.gaveUp(work, error, undefined);
    this.#sink.done(work);
    return false;
  }

  /** Its lane waits, and its source, until it is stored elsewhere or nobody tries any more. */
  #leave(what: Departure, work: Work, destination: () => Destination, stored: () => void): false {
    this.#leaving += 1;
    work.source.begin();
    if (work.lane !== undefined) work.lane.leaving += 1;
    const end = (written: boolean): void => {
      if (written && work.source.settles) {
        stored();
        this.#sink.done(work);
      } else this.#giveBack(work);
      this.#left(work);
    };
    this.#settings.departures.give({ work, what, destination, end });
    return false;
  }

  #left({ lane, source }: Work): void {
    if (lane !== undefined) {
      lane.leaving -= 1;
      if (lane.leaving === 0) this.#waiting.next(lane);
    }
    this.#leaving -= 1;
    this.pump();
    this.#tellIdle();
    source.end();
  }

  #ended(): void {
    this.#running -= 1;
    this.pump();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#running + this.#leaving > 0 || !this.#stopped) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #lingerFor(waitMs: number): void {
    this.#linger ??= this.#clock.setTimer(waitMs, () => {
      this.#linger = undefined;
      this.pump();
    });
  }
}
