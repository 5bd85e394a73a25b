import { KafkaFault } from '../errors.js';
import type { Link } from './link.js';
import type { Broker } from './wire.js';

/** Which broker leads which partition of one topic, as last heard. */
export class Leaders {
  readonly #topic: string;
  #byPartition: ReadonlyMap<number, number> = new Map();
  #refreshing: Promise<void> | undefined;

  constructor(topic: string) {
    this.#topic = topic;
  }

  /** Partitions of the topic; 0 before the first {@link refresh}. */
  get count(): number {
    return this.#byPartition.size;
  }

  get partitions(): readonly number[] {
    return [...this.#byPartition.keys()];
  }

  of(partition: number): number | undefined {
    return this.#byPartition.get(partition);
  }

  /** Shared by all who ask at the same time. */
  refresh(link: Link): Promise<void> {
    this.#refreshing ??= this.#refresh(link).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Connected to the leader. Whatever it rejects with, nothing was sent. */
  async broker(link: Link, partition: number): Promise<Broker> {
    const known = this.#byPartition.get(partition);
    // A link that replaced a broken one has heard of no broker yet.
    if (known === undefined || !link.knows(known)) await this.refresh(link);
    const node = this.#byPartition.get(partition);
    if (node !== undefined) return link.broker(node);
    throw new KafkaFault('UNAVAILABLE', true, `topic '${this.#topic}' has no partition ${partition} now`);
  }

  async #refresh(link: Link): Promise<void> {
    const leaders = await link.leaders(this.#topic);
    const pairs = leaders.map(({ partitionId, leader }) => [partitionId, leader] as const);
    this.#byPartition = new Map(pairs.sort(([a], [b]) => a - b));
  }
}
