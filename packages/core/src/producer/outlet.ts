import { orAborted } from '../abort.js';
import type { Sender } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import type { CapabilityLimits } from '../capabilities.js';
import type { Timer } from '../clock.js';
import { MessagingError } from '../errors.js';
import type { TopicDefinition } from '../topic.js';
import { type Failure, Lane } from './lane.js';
import type { Pending } from './pending.js';

/** The way of one producer to one topic: opened at the first send, again after a failure to open. */
export class Outlet {
  readonly #broker: Broker;
  readonly topic: TopicDefinition;
  #sender: Sender | undefined;
  #opening: Promise<void> | undefined;
  /** What was sent before the sender was open. */
  #early: Pending[] = [];
  /** By the number that the sender gives them. */
  readonly #lanes: (Lane | undefined)[] = [];
  /** What this turn's sends were pushed to. */
  #fresh: Lane[] = [];
  readonly #pumpFresh = (): void => {
    const lanes = this.#fresh;
    this.#fresh = [];
    for (const lane of lanes) lane.pump();
  };
  readonly #waits = new Set<Timer>();
  /** Ends an opening that waits for its broker. */
  readonly #stop = new AbortController();
  readonly #before: (() => Promise<void>) | undefined;

  /** @param before what must stand before anything is written there */
  constructor(broker: Broker, topic: TopicDefinition, before?: () => Promise<void>) {
    this.#broker = broker;
    this.topic = topic;
    this.#before = before;
  }

  /** Of the topic's broker. */
  get limits(): CapabilityLimits {
    return this.#broker.configured.capabilities.limits;
  }

  enqueue(pending: Pending): void {
    if (this.#sender === undefined) {
      this.#early.push(pending);
      this.#opening ??= this.#open();
      return;
    }
    // One write for what a burst of calls sends in the same turn, instead of a first write of one.
    const lane = this.#push(this.#sender, pending);
    if (lane.fresh) return;
    lane.fresh = true;
    if (this.#fresh.length === 0) queueMicrotask(this.#pumpFresh);
    this.#fresh.push(lane);
  }

  /** Everything without an outcome, for deadlines. */
  *pending(): Iterable<Pending> {
    yield* this.#early;
    for (const lane of this.#lanes) if (lane !== undefined) yield* lane.pending();
  }

  /** The producer has settled everything before. */
  async close(): Promise<void> {
    this.#stop.abort(new MessagingError('CLOSED', 'The producer was closed.'));
    await this.#opening;
    for (const wait of this.#waits) wait.cancel();
    await this.#sender?.close();
  }

  async #open(): Promise<void> {
    try {
      if (this.#before !== undefined) await orAborted(this.#before(), this.#stop.signal, 'waiting for it');
      this.#sender = await this.#broker.run(
        (adapter) => adapter.openSender(this.topic.spec),
        `open topic '${this.topic.spec.name}' for sending`,
        this.#stop.signal,
      );
      this.#distribute(this.#early);
    } catch (error) {
      const failure = this.#broker.wrap(error, `Cannot send to topic '${this.topic.spec.name}'`);
      for (const pending of this.#early) pending.failed(failure);
    }
    this.#early = [];
    this.#opening = undefined;
  }

  #distribute(pendings: readonly Pending[]): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    const lanes = new Set<Lane>();
    for (const pending of pendings) if (!pending.settled) lanes.add(this.#push(sender, pending));
    for (const lane of lanes) lane.pump();
  }

  #push(sender: Sender, pending: Pending): Lane {
    const index = sender.laneOf(pending.record);
    let lane = this.#lanes[index];
    if (lane === undefined) {
      lane = new Lane(sender, index, (failed, failures) => this.#recover(failed, failures));
      this.#lanes[index] = lane;
    }
    lane.push(pending);
    return lane;
  }

  /** Gives up what cannot succeed, writes the rest again after a wait. */
  #recover(lane: Lane, failures: readonly Failure[]): void {
    const again = failures.filter((failure) => this.#mayRetry(failure)).map(({ pending }) => pending);
    if (again.length === 0) return;
    lane.hold(again);
    lane.backoff ??= this.#broker.runtime.backoff();
    const wait = this.#broker.runtime.clock.setTimer(lane.backoff.next(), () => {
      this.#waits.delete(wait);
      this.#distribute(lane.release());
    });
    this.#waits.add(wait);
  }

  #mayRetry({ pending, result }: Failure): boolean {
    const uncertain = result.status === 'unknown';
    const failure = this.#broker.wrap(
      result.error,
      `Cannot send message '${pending.record.id}' to topic '${pending.topic.spec.name}'`,
    );
    pending.again(uncertain, result.error);
    if (uncertain || failure.retryable) return !pending.settled;
    pending.failed(failure);
    return false;
  }
}
