import { type AdapterRuntime, messageOf, type Timer } from '@anymq/core/adapter';
import type { NativeDelivery } from '../codec.js';
import type { Acks } from './acks.js';
import { MAX_ANSWER, type Subscription } from './calls.js';
import type { Mutex } from './mutex.js';
import type { Queues, Stuck } from './queues.js';

const LOOK_MS = 100;
/** The broker begins with any queue: an answer that other queues have filled is asked for again. */
const MAX_TRIES = 25;

export interface AheadSettings {
  readonly runtime: AdapterRuntime;
  readonly subscription: Subscription;
  readonly queues: Queues;
  readonly acks: Acks;
  /** Held while handles change. */
  readonly handles: Mutex;
  readonly leaseMs: number;
  /** Takes credit without waiting; the number taken. */
  take(max: number): number;
  /** Everything of one answer to what was asked at `asked`; `credit` of it may be delivered now. Never rejects. */
  received(deliveries: readonly NativeDelivery[], attempt: string, asked: number, credit: number): Promise<void>;
}

/**
 * Looks into locked queues of a keyed topic behind what is unsettled, so that a message that fails, or takes long, does not
 * keep the other keys of its queue waiting. The broker lets us as far as one answer reaches: 31 messages behind it.
 */
export class Ahead {
  readonly #settings: AheadSettings;
  #timer: Timer | undefined;
  #stopped = false;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(settings: AheadSettings) {
    this.#settings = settings;
  }

  /** Something was received. */
  arm(): void {
    if (this.#stopped) return;
    this.#timer ??= this.#settings.runtime.clock.setTimer(LOOK_MS, () => {
      this.#looking = this.#look().then(() => {
        this.#timer = undefined;
        if (this.#settings.queues.waiting(this.#settings.runtime.clock.monotonic())) this.arm();
      });
    });
  }

  /** Nothing is looked for any more when it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** Makes the broker know again what it has forgotten.  */
  async remind(): Promise<void> {
    const { runtime, queues, acks, handles } = this.#settings;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const forgotten = queues.forgotten(runtime.clock.monotonic());
      if (forgotten === undefined) return;
      await handles.run(() => this.#ask(forgotten, MAX_ANSWER, 0));
      await acks.drained();
    }
  }

  async #look(): Promise<void> {
    const { runtime, queues, take } = this.#settings;
    await this.remind();
    const credit = take(MAX_ANSWER);
    if (credit === 0) return;
    const stuck = queues.stuck(runtime.clock.monotonic());
    if (stuck === undefined) return this.#settings.received([], '', runtime.clock.monotonic(), credit);
    await this.#settings.handles.run(() => this.#ask(stuck, stuck.known + credit, credit));
    await this.remind();
  }

  /**
   * Acknowledgements with handles that the answer makes invalid would be confirmed and have no effect: none meanwhile, however
   * slow the broker is. Of a queue that is ours the answer comes at once, so what is done already is not asked for.
   */
  async #ask(stuck: Stuck, max: number, credit: number): Promise<void> {
    const { runtime, acks, queues, received } = this.#settings;
    await acks.pause();
    if (queues.holds(stuck.queue)) await this.#receive(stuck, Math.min(MAX_ANSWER, max), credit);
    else await received([], '', runtime.clock.monotonic(), credit);
    acks.resume();
  }

  async #receive({ queue, attempt }: Stuck, max: number, credit: number): Promise<void> {
    const { runtime, subscription, queues, leaseMs, received } = this.#settings;
    const broker = queue.slice(0, queue.lastIndexOf('/'));
    const asked = runtime.clock.monotonic();
    let deliveries: readonly NativeDelivery[] = [];
    try {
      deliveries = await subscription.receive({ max, leaseMs, attempt, broker });
      if (deliveries.length === 0) queues.nothing(queue);
    } catch (error) {
      queues.unanswered(attempt);
      runtime.log.debug(`Queue ${queue} could not be looked into: ${messageOf(error)}`);
    }
    await received(deliveries, attempt, asked, credit);
  }
}
