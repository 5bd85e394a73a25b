import type { ReadRecord } from '@anymq/core/adapter';
import { decodeRecord } from '../codec.js';
import { positionOf } from '../names.js';
import type { Fetched } from './fetcher.js';
import type { ReadAhead } from './read-ahead.js';
import { endOf, visibleRecords } from './visible.js';
import type { FetchedPartition, StoredRecord } from './wire.js';

/** One partition that is read without a group: where the reader stands in it. */
export class ReadPartition implements Fetched {
  readonly partition: number;
  readonly #topic: string;
  readonly #ahead: ReadAhead;
  #position: number;

  /** @param topic as named on the broker */
  constructor(topic: string, partition: number, position: number, ahead: ReadAhead) {
    this.#topic = topic;
    this.partition = partition;
    this.#position = position;
    this.#ahead = ahead;
  }

  get position(): number {
    return this.#position;
  }

  get wantsMore(): boolean {
    return this.#ahead.hasRoom;
  }

  accept(fetched: FetchedPartition): boolean {
    const end = endOf(fetched);
    if (end <= this.#position) return false;
    this.#ahead.add(visibleRecords(fetched, this.#position).map((record) => this.#decode(record)));
    this.#position = end;
    return true;
  }

  /** The log begins there now. */
  restart(position: number): void {
    this.#position = position;
  }

  #decode(stored: StoredRecord): ReadRecord {
    const position = positionOf(this.partition, Number(stored.offset));
    return { position, ...decodeRecord(stored, this.#topic, this.partition) };
  }
}
