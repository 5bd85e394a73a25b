import type { AdapterRuntime, Timer } from '@anymq/core/adapter';
import type { Engine } from './internal/engine.js';

/** A receiver, as its connection sees it. */
export interface Renewable {
  renew(): void;
  leave(): void;
}

/**
 * One adapter's connection to the broker: shows signs of life for its receivers, on the adapter's own clock. A process that
 * stands still (in a test: whose clock does) loses what it owns, as with a real broker.
 */
export class Client {
  readonly engine: Engine;
  readonly #runtime: AdapterRuntime;
  readonly #receivers = new Set<Renewable>();
  #timer: Timer | undefined;

  constructor(engine: Engine, runtime: AdapterRuntime) {
    this.engine = engine;
    this.#runtime = runtime;
  }

  add(receiver: Renewable): void {
    this.#receivers.add(receiver);
    this.#timer ??= this.#beat();
  }

  remove(receiver: Renewable): void {
    this.#receivers.delete(receiver);
    if (this.#receivers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** What is still there leaves at once, as when a connection breaks. */
  close(): void {
    for (const receiver of this.#receivers) receiver.leave();
  }

  #beat(): Timer {
    return this.#runtime.clock.setTimer(this.engine.settings.leaseMs / 3, () => {
      this.#timer = this.#beat();
      for (const receiver of this.#receivers) receiver.renew();
    });
  }
}
