import type { Clock, Timer } from '../clock.js';
import type { Pending } from './pending.js';

/** A look at everything pending, this often at most: one timer for a producer, none for a message. */
const MAX_TICK_MS = 250;

/** Ends sends whose time is over. Its timer ends by itself at the first look that finds nothing pending. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #pending: () => Iterable<Pending>;
  #timer: Timer | undefined;
  #tickMs = MAX_TICK_MS;

  constructor(clock: Clock, pending: () => Iterable<Pending>) {
    this.#clock = clock;
    this.#pending = pending;
  }

  /** A send with this time-out is pending now. */
  watch(timeoutMs: number): void {
    const tickMs = Math.max(1, Math.min(MAX_TICK_MS, timeoutMs / 4));
    if (this.#timer !== undefined && tickMs >= this.#tickMs) return;
    this.#tickMs = tickMs;
    this.#timer?.cancel();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tickMs = MAX_TICK_MS;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#tickMs, () => this.#look());
  }

  #look(): void {
    const pendings = [...this.#pending()];
    // Not at every last outcome: where each send is awaited that would be a timer for each.
    if (pendings.length === 0) {
      this.stop();
      return;
    }
    this.#arm();
    const now = this.#clock.monotonic();
    for (const pending of pendings) if (pending.call.deadline <= now) pending.expired();
  }
}
