import { setMaxListeners } from 'node:events';
import type { OutgoingRecord, TopicSpec } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import type { Receipt } from '../producer/contract.js';
import { Deadlines } from '../producer/deadlines.js';
import { Outlet } from '../producer/outlet.js';
import { Pending } from '../producer/pending.js';
import { systemTopic } from './topics.js';

/** How long one send may take. */
export interface PostOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends records that are encoded and checked already, to any topic of one broker, for core's own purposes. */
export class Post {
  readonly #broker: Broker;
  readonly #outlets = new Map<string, Outlet>();
  readonly #deadlines: Deadlines;
  #sequence = 0;
  #underWay = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#deadlines = new Deadlines(broker.runtime.clock, () => this.#pending());
  }

  /** Resolves when it is stored durably; rejects as {@link Producer.send} does. Sends to one lane keep their order. */
  send(spec: TopicSpec, record: OutgoingRecord, { timeoutMs, signal }: PostOptions): Promise<Receipt> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const outlet = this.#outletOf(spec);
    const deadline = this.#broker.runtime.clock.monotonic() + timeoutMs;
    const call = { sequence: this.#sequence++, epoch: 0, deadline, timeoutMs };
    const pending = new Pending(record, outlet.topic, call, () => this.#released());
    if (signal !== undefined) {
      // Many sends of one owner listen to its one signal: that is no leak, and Node would warn of one.
      setMaxListeners(0, signal);
      pending.abortOn(signal);
    }
    this.#underWay += 1;
    this.#deadlines.watch(timeoutMs);
    outlet.enqueue(pending);
    return pending.receipt;
  }

  /** What is under way ends without an answer. */
  async close(): Promise<void> {
    for (const pending of [...this.#pending()]) pending.expired();
    this.#deadlines.stop();
    await Promise.all([...this.#outlets.values()].map((outlet) => outlet.close()));
  }

  #released(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#deadlines.stop();
  }

  #outletOf(spec: TopicSpec): Outlet {
    let outlet = this.#outlets.get(spec.name);
    if (outlet === undefined) {
      outlet = new Outlet(this.#broker, systemTopic(spec));
      this.#outlets.set(spec.name, outlet);
    }
    return outlet;
  }

  *#pending(): Iterable<Pending> {
    for (const outlet of this.#outlets.values()) yield* outlet.pending();
  }
}
