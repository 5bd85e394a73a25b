import type { AdapterRuntime, Timer } from '@anymq/core/adapter';
import type { Engine } from './internal/engine.js';
import type { Connection, Way } from './internal/way.js';

/** A receiver, as its connection sees it. */
export interface Renewable {
  renew(): void;
  /** The connection broke: what it owned is others'. */
  cut(error: Error): void;
  leave(): void;
}

/**
 * One adapter's connection to the broker: shows signs of life for its receivers, on the adapter's own clock. A process that
 * stands still (in a test: whose clock does) loses what it owns, as with a real broker.
 */
export class Client implements Connection {
  readonly way: Way;
  readonly #runtime: AdapterRuntime;
  readonly #receivers = new Set<Renewable>();
  #timer: Timer | undefined;
  #cut = false;

  constructor(way: Way, runtime: AdapterRuntime) {
    this.way = way;
    this.#runtime = runtime;
    way.add(this);
  }

  get engine(): Engine {
    return this.way.engine;
  }

  look(): void {
    const { refusal } = this.way;
    const cut = refusal?.refusal === 'unavailable';
    if (cut === this.#cut) return;
    this.#cut = cut;
    if (refusal !== undefined) for (const receiver of this.#receivers) receiver.cut(refusal);
    this.#runtime.connection(cut ? 'down' : 'up', refusal);
    // A sign of life of a member that is not one any more lets it join again.
    if (!cut) for (const receiver of this.#receivers) receiver.renew();
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
    this.way.remove(this);
    for (const receiver of this.#receivers) receiver.leave();
  }

  #beat(): Timer {
    return this.#runtime.clock.setTimer(this.engine.settings.leaseMs / 3, () => {
      this.#timer = this.#beat();
      if (!this.#cut) for (const receiver of this.#receivers) receiver.renew();
    });
  }
}
