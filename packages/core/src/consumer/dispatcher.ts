import type { IncomingRecord } from '../adapter/spi.js';
import type { Clock, Timer } from '../clock.js';
import type { Calls, Result } from './calls.js';
import { Lane, Lanes } from './lanes.js';
import type { ResolvedSubscribeOptions } from './options.js';
import type { Ownership } from './ownership.js';
import { Redelivery } from './redelivery.js';
import { Work } from './work.js';

/** What the dispatcher tells its subscription. */
export interface DispatcherSink {
  /** Acknowledged, and its ownership still counts. */
  acked(work: Work): void;
  /** A call failed; `work.attempts` says how many have. */
  failed(work: Work, error: unknown): void;
  /** `count` records are in nobody's hands any more, not settled. */
  dropped(count: number): void;
}

/** Runs handlers: one after another within a lane, up to `concurrency` at once over all lanes. */
export class Dispatcher {
  readonly #options: ResolvedSubscribeOptions;
  readonly #keyed: boolean;
  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #sink: DispatcherSink;
  readonly #lanes = new Lanes();
  readonly #redelivery: Redelivery;
  #running = 0;
  #paused = false;
  #stopped = false;
  #pumping = false;
  #linger: Timer | undefined;
  #idle: (() => void)[] = [];

  constructor(options: ResolvedSubscribeOptions, keyed: boolean, calls: Calls, clock: Clock, sink: DispatcherSink) {
    this.#options = options;
    this.#keyed = keyed;
    this.#calls = calls;
    this.#clock = clock;
    this.#sink = sink;
    this.#redelivery = new Redelivery(clock, (waiting) => this.#again(waiting));
  }

  add(records: readonly IncomingRecord[]): void {
    const now = this.#clock.monotonic();
    for (const record of records) {
      const lane = this.#keyed && record.key !== undefined ? this.#lanes.laneOf(record.key) : undefined;
      this.#lanes.add(new Work(record, lane, now));
    }
    this.pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.pump();
  }

  /** No handler starts from now on. Resolves when none runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#linger?.cancel();
    this.#redelivery.stop();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Drops everything of `source` that no handler has. */
  discard(source: Ownership): void {
    const dropped = this.#lanes.discard(source) + this.#redelivery.discard(source);
    if (dropped > 0) this.#sink.dropped(dropped);
  }

  /** Starts what may start. A handler that ends at once is taken up by the same loop, not by a deeper one. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { concurrency, batch } = this.#options;
    while (!this.#paused && !this.#stopped && this.#running < concurrency) {
      if (!(batch === undefined ? this.#startOne() : this.#startBatch(batch))) break;
    }
    this.#pumping = false;
  }

  #startOne(): boolean {
    const work = this.#lanes.take();
    if (work === undefined) return false;
    this.#running += 1;
    work.source.begin();
    const result = this.#calls.one(work);
    if (result instanceof Promise) result.then((later) => this.#endOne(work, later));
    else this.#endOne(work, result);
    return true;
  }

  #endOne(work: Work, result: Result): void {
    const again = this.#end(work, result);
    if (work.lane !== undefined) this.#endLane(work.lane, again ? [work] : []);
    else if (again) this.#redelivery.add(work);
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
    const works = this.#takeBatch(size);
    this.#running += 1;
    for (const work of works) work.source.begin();
    this.#calls.many(works).then((results) => this.#endBatch(works, results));
    return true;
  }

  #takeBatch(size: number): Work[] {
    const works: Work[] = [];
    for (
      let work = this.#lanes.take();
      work !== undefined;
      work = works.length < size ? this.#lanes.take() : undefined
    ) {
      works.push(work);
      // The rest of the key may go with it: one call handles them in order.
      while (work.lane !== undefined && works.length < size) {
        const more = this.#lanes.takeMore(work.lane);
        if (more === undefined) break;
        works.push(more);
      }
    }
    return works;
  }

  #endBatch(works: readonly Work[], results: readonly Result[]): void {
    const lanes = new Map<Lane, Work[]>();
    for (const [i, work] of works.entries()) {
      const again = this.#end(work, results[i] as Result);
      if (work.lane === undefined) {
        if (again) this.#redelivery.add(work);
        continue;
      }
      const failed = lanes.get(work.lane) ?? [];
      if (again) failed.push(work);
      lanes.set(work.lane, failed);
    }
    for (const [lane, failed] of lanes) this.#endLane(lane, failed);
    this.#ended();
    for (const work of works) work.source.end();
  }

  /** Settles one message of a call. True if it must be handled again here. */
  #end(work: Work, result: Result): boolean {
    work.delivery?.end();
    const { source } = work;
    if (result.kind === 'ack' && source.settles) {
      this.#sink.acked(work);
      return false;
    }
    if (result.kind === 'failed' && source.settles) {
      work.attempts += 1;
      this.#sink.failed(work, result.error);
      if (source.owned && !this.#stopped) return true;
    }
    this.#sink.dropped(1);
    return false;
  }

  #endLane(lane: Lane, failed: readonly Work[]): void {
    if (failed.length === 0) {
      this.#lanes.done(lane);
    } else {
      this.#lanes.wait(lane, failed);
      this.#redelivery.add(lane);
    }
  }

  #ended(): void {
    this.#running -= 1;
    this.pump();
    if (this.#running > 0 || !this.#stopped) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #again(due: readonly (Lane | Work)[]): void {
    for (const waiting of due) {
      if (!(waiting instanceof Lane)) this.#lanes.add(waiting);
      // A lane that lost its work meanwhile is not waiting any more.
      else if (waiting.state === 'waiting') this.#lanes.done(waiting);
    }
    this.pump();
  }

  #lingerFor(waitMs: number): void {
    this.#linger ??= this.#clock.setTimer(waitMs, () => {
      this.#linger = undefined;
      this.pump();
    });
  }
}
