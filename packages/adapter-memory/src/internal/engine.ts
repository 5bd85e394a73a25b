import { type AdapterRuntime, type Clock, type Logger, systemClock } from '@anymq/core/adapter';
import { type NativeMessage, nativeFields, type StoredMessage } from '../codec.js';
import { MemoryFault } from '../errors.js';
import type { BrokerSettings } from '../options.js';
import { Leases } from './leases.js';
import { type Schedule, turnScheduler } from './scheduler.js';
import { StoredTopic, type TopicSettings } from './topic.js';

/** `unavailable` is a broker that is down, `unauthorised` one that refuses the credentials. */
export type Availability = 'up' | 'unavailable' | 'unauthorised';

/** The broker, as a plain client sees it. Names of topics are those on the broker: `<namespace>.<topic>`. */
export interface MemoryBroker {
  /** Names of all topics. */
  topics(): readonly string[];
  /**
   * Everything a topic keeps, partition by partition, each oldest first; nothing is consumed.
   * @throws {MemoryFault} when there is no such topic
   */
  messages(topic: string): readonly StoredMessage[];
  /**
   * Appends a message, as a producer without AnyMQ would, and returns its position. Body and headers are copied.
   * @throws {MemoryFault} when there is no such topic, or the broker refuses
   */
  publish(topic: string, message: NativeMessage): string;
  /**
   * Lets the broker refuse whatever is asked of it from now on: connections, topics, writes, health. Members that joined
   * before keep what they own. `up` ends that. For tests of what a service does then.
   */
  setAvailability(availability: Availability): void;
}

export interface EngineOptions extends BrokerSettings {
  readonly clock: Clock | undefined;
  readonly schedule: Schedule | undefined;
}

/** The broker behind {@link MemoryBroker}: all state there is, and nothing of any one adapter. */
export class Engine implements MemoryBroker {
  readonly settings: BrokerSettings;
  readonly leases: Leases;
  readonly #topics = new Map<string, StoredTopic>();
  #clock: Clock | undefined;
  #schedule: Schedule | undefined;
  #availability: Availability = 'up';
  #log: Logger | undefined;
  #turn = 0;

  constructor({ clock, schedule, ...settings }: EngineOptions) {
    this.settings = settings;
    this.#clock = clock;
    this.#schedule = schedule;
    this.leases = new Leases(() => this.clock, settings.leaseMs);
  }

  /** The broker lives on the clock that it was made with, else on the first adapter's; it writes to the first one's log. */
  attach({ clock, log }: Pick<AdapterRuntime, 'clock' | 'log'>): void {
    this.#clock ??= clock;
    this.#log ??= log;
  }

  get clock(): Clock {
    this.#clock ??= systemClock();
    return this.#clock;
  }

  get schedule(): Schedule {
    this.#schedule ??= turnScheduler(this.clock);
    return this.#schedule;
  }

  /** Resolves later: what a request and its answer take. */
  roundTrip(): Promise<void> {
    return new Promise((resolve) => this.schedule(resolve));
  }

  /** What a client gets that asks for anything now, or undefined. */
  get refusal(): MemoryFault | undefined {
    if (this.#availability === 'up') return undefined;
    const why = this.#availability === 'unavailable' ? 'does not answer' : 'refuses the credentials';
    return new MemoryFault(
      this.#availability,
      `the memory broker ${why}, as setAvailability('${this.#availability}') asked`,
    );
  }

  setAvailability(availability: Availability): void {
    this.#availability = availability;
  }

  /** The topic, made with `settings` if it is missing. */
  topic(name: string, settings: TopicSettings): StoredTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new StoredTopic(name, settings, this.settings, (message) => this.#log?.warn(message));
      this.#topics.set(name, topic);
    }
    return topic;
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  messages(topic: string): readonly StoredMessage[] {
    return this.#existing(topic).logs.flatMap((log) => [...log]);
  }

  publish(name: string, message: NativeMessage): string {
    if (this.refusal !== undefined) throw this.refusal;
    const topic = this.#existing(name);
    const partition = message.key === undefined ? this.#turn++ % topic.logs.length : topic.partitionOf(message.key);
    const position = topic.append(partition, nativeFields(message, this.clock.now()));
    topic.announce(partition);
    return position;
  }

  #existing(name: string): StoredTopic {
    const topic = this.#topics.get(name);
    if (topic !== undefined) return topic;
    const known = this.topics().join(', ') || 'none yet';
    throw new MemoryFault('missing', `the memory broker has no topic '${name}'; its topics: ${known}`);
  }
}
