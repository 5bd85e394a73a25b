import type { AdapterRuntime } from '@anymq/core/adapter';
import type { NativeMessage, StoredMessage } from '../codec.js';
import { MemoryFault } from '../errors.js';
import type { Engine } from './engine.js';

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
   * Deletes a topic with its messages and groups, as an administrator of a real broker would: its consumers are told. Whoever uses it
   * next makes a new one.
   * @throws {MemoryFault} when there is no such topic, or the broker refuses
   */
  deleteTopic(topic: string): void;
  /**
   * For tests of what a service does then. `unavailable` cuts every connection that came this way, with the answers that are
   * under way, and refuses new ones: what its members owned goes to others. `unauthorised` refuses whatever is asked from now
   * on; members that joined before keep what they own. `up` ends both.
   */
  setAvailability(availability: Availability): void;
  /** Another way to the same broker, with an availability of its own: for outages that only some processes see. */
  way(): MemoryBroker;
}

/** A connection that came some way. */
export interface Connection {
  /** The way's availability may have changed. */
  look(): void;
}

/** One way to the broker. */
export class Way implements MemoryBroker {
  readonly engine: Engine;
  readonly #above: Way | undefined;
  readonly #below = new Set<Way>();
  readonly #connections = new Set<Connection>();
  #availability: Availability = 'up';

  constructor(engine: Engine, above?: Way) {
    this.engine = engine;
    this.#above = above;
  }

  attach(runtime: Pick<AdapterRuntime, 'clock' | 'log'>): void {
    this.engine.attach(runtime);
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** What a client gets that asks for anything now, or undefined. */
  get refusal(): MemoryFault | undefined {
    if (this.#availability === 'up') return this.#above?.refusal;
    const why = this.#availability === 'unavailable' ? 'does not answer' : 'refuses the credentials';
    return new MemoryFault(
      this.#availability,
      `the memory broker ${why}, as setAvailability('${this.#availability}') asked`,
    );
  }

  setAvailability(availability: Availability): void {
    this.#availability = availability;
    this.#look();
  }

  way(): MemoryBroker {
    const way = new Way(this.engine, this);
    this.#below.add(way);
    return way;
  }

  topics(): readonly string[] {
    return this.engine.topics();
  }

  messages(topic: string): readonly StoredMessage[] {
    return this.engine.messages(topic);
  }

  publish(topic: string, message: NativeMessage): string {
    if (this.refusal !== undefined) throw this.refusal;
    return this.engine.publish(topic, message);
  }

  deleteTopic(topic: string): void {
    if (this.refusal !== undefined) throw this.refusal;
    this.engine.deleteTopic(topic);
  }

  #look(): void {
    for (const connection of [...this.#connections]) connection.look();
    for (const way of this.#below) way.#look();
  }
}
