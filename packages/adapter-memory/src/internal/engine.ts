import { type AdapterRuntime, type Clock, type Logger, systemClock } from '@anymq/core/adapter';
import { type NativeMessage, nativeFields, type StoredMessage } from '../codec.js';
import { MemoryFault } from '../errors.js';
import type { BrokerSettings } from '../options.js';
import { Leases } from './leases.js';
import { type Schedule, turnScheduler } from './scheduler.js';
import { StoredTopic, type TopicSettings } from './topic.js';

export interface EngineOptions extends BrokerSettings {
  readonly clock: Clock | undefined;
  readonly schedule: Schedule | undefined;
}

/** The broker behind every way to it: all state there is, and nothing of any one adapter. */
export class Engine {
  readonly settings: BrokerSettings;
  readonly leases: Leases;
  readonly #topics = new Map<string, StoredTopic>();
  #clock: Clock | undefined;
  #schedule: Schedule | undefined;
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

  /** The topic, made with `settings` if it is missing. */
  topic(name: string, settings: TopicSettings): StoredTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new StoredTopic(name, settings, this.settings, (message) => this.#log?.warn(message));
      this.#topics.set(name, topic);
    }
    return topic;
  }

  /** The topic, if there is one. */
  find(name: string): StoredTopic | undefined {
    return this.#topics.get(name);
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  messages(topic: string): readonly StoredMessage[] {
    return this.#existing(topic).logs.flatMap((log, partition) => [...log.stored(partition)]);
  }

  publish(name: string, message: NativeMessage): string {
    const topic = this.#existing(name);
    const partition = message.key === undefined ? this.#turn++ % topic.logs.length : topic.partitionOf(message.key);
    const position = topic.append(partition, nativeFields(message, this.clock.now()));
    topic.announce(partition);
    return position;
  }

  /** Its messages, groups and onlookers go with it. */
  deleteTopic(name: string): void {
    const topic = this.#existing(name);
    this.#topics.delete(name);
    this.schedule(() => topic.deleted());
  }

  #existing(name: string): StoredTopic {
    const topic = this.#topics.get(name);
    if (topic !== undefined) return topic;
    const known = this.topics().join(', ') || 'none yet';
    throw new MemoryFault('missing', `the memory broker has no topic '${name}'; its topics: ${known}`);
  }
}
