import { type AdapterRuntime, type Backoff, messageOf, sleep } from '@anymq/core/adapter';
import type { NativeDelivery } from '../codec.js';
import { MIN_GRANTED_POLL_MS } from '../options.js';
import { MAX_ANSWER, type Subscription } from './calls.js';

/** Empty answers come at the end of a poll; sooner ones must not become a busy loop. */
const MIN_EMPTY_MS = 100;
/** An empty poll of that much less than asked for has ended by itself. */
const INEXACT_MS = 100;

export interface PollerSettings {
  readonly runtime: AdapterRuntime;
  readonly subscription: Subscription;
  readonly loops: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** Everything that a poll brought that was asked at `asked`, also after {@link Poller.stop}. Never rejects. */
  received(deliveries: readonly NativeDelivery[], attempt: string, asked: number): Promise<void>;
  failed(error: unknown): void;
  /** Why nothing more can be received after this, or undefined. Never rejects. */
  final(error: unknown): Promise<unknown>;
  /** What was received is still to be delivered: nothing more is asked for. */
  full(): boolean;
  /** A poll has left some of its credit: {@link Poller.take} may find it. */
  returned(): void;
}

/** Several long polls at once, within the credit. */
export class Poller {
  readonly #settings: PollerSettings;
  readonly #stopping = new AbortController();
  /** Aborted when the first message comes: loops need not stand apart any more. */
  readonly #busy = new AbortController();
  #credit = 0;
  #waiting: (() => void)[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #warned = false;

  constructor(settings: PollerSettings) {
    this.#settings = settings;
  }

  start(): void {
    const { loops, runtime } = this.#settings;
    const all = Array.from({ length: loops }, (_, index) => this.#loop(index));
    this.#running = Promise.all(all).catch((error) => {
      if (!this.#stopping.signal.aborted) runtime.log.error(`A receive loop has ended: ${messageOf(error)}`);
    });
  }

  /** Also with 0: there may be room again. */
  credit(records: number): void {
    this.#credit += records;
    this.#wake();
  }

  /** Takes credit for something else, without waiting. The number taken. */
  take(max: number): number {
    const taken = this.#stopping.signal.aborted ? 0 : Math.max(0, Math.min(max, this.#credit));
    this.#credit -= taken;
    return taken;
  }

  /** Polls that are under way cannot be called off: what the broker gives them then would be lost for a lease. */
  stop(): Promise<unknown> {
    this.#stopping.abort();
    this.#wake();
    return this.#running;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #loop(index: number): Promise<void> {
    const { signal } = this.#stopping;
    await this.#standApart(index);
    let backoff: Backoff | undefined;
    while (!signal.aborted) {
      const max = await this.#take();
      if (max === 0) return;
      try {
        await this.#poll(max);
        backoff = undefined;
      } catch (error) {
        await this.#report(error);
        backoff ??= this.#settings.runtime.backoff();
        await this.#pause(backoff.next(), signal);
      }
    }
  }

  /** A message that comes again wakes no poll: the next one to begin finds it. So they do not begin together. */
  #standApart(index: number): Promise<void> {
    const { pollMs, loops } = this.#settings;
    return this.#pause((index * pollMs) / loops, AbortSignal.any([this.#busy.signal, this.#stopping.signal]));
  }

  async #poll(max: number): Promise<void> {
    const { runtime, subscription, leaseMs, received } = this.#settings;
    const began = runtime.clock.monotonic();
    let got = 0;
    try {
      const attempt = runtime.random().toString(36).slice(2) + runtime.random().toString(36).slice(2);
      const deliveries = await subscription.receive({ max, leaseMs, attempt });
      got = deliveries.length;
      if (got > 0) {
        this.#busy.abort();
        await received(deliveries, attempt, began);
      }
    } finally {
      this.#credit += max - got;
      if (max > got) {
        this.#settings.returned();
        this.#wake();
      }
    }
    const took = runtime.clock.monotonic() - began;
    if (got === 0) this.#compare(took);
    if (got === 0 && took < MIN_EMPTY_MS) await this.#pause(MIN_EMPTY_MS, this.#stopping.signal);
  }

  /** A proxy does not refuse a poll that it finds too short, nor say that it makes it longer. */
  #compare(took: number): void {
    const { pollMs, runtime } = this.#settings;
    if (this.#warned || pollMs >= MIN_GRANTED_POLL_MS || took < MIN_GRANTED_POLL_MS - INEXACT_MS) return;
    this.#warned = true;
    runtime.log.warn(
      `RocketMQ's proxy makes polls of ${pollMs} ms (pollMs) longer, this one took ${Math.round(took)} ms, and closing waits for them. Lower its grpcClientConsumerMinLongPollingTimeoutMillis, or leave pollMs at 5000.`,
    );
  }

  /** Waits for credit and takes what one poll may use. 0: it is over. */
  async #take(): Promise<number> {
    while ((this.#credit <= 0 || this.#settings.full()) && !this.#stopping.signal.aborted) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    if (this.#stopping.signal.aborted) return 0;
    const max = Math.min(MAX_ANSWER, this.#credit);
    this.#credit -= max;
    return max;
  }

  async #report(error: unknown): Promise<void> {
    const { runtime, failed } = this.#settings;
    runtime.log.debug(`A receive has failed: ${messageOf(error)}`);
    const final = await this.#settings.final(error);
    if (final === undefined || this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#wake();
    failed(final);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await sleep(this.#settings.runtime.clock, ms, signal).catch(() => {});
  }
}
