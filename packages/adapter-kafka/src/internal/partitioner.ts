import type { OutgoingRecord } from '@anymq/core/adapter';
import { murmur2 } from './murmur2.js';

/** A key has at most 256 bytes. */
const MAX_KEY_BYTES = 1024;
/** Records without a key that go to one partition before the next has its turn. */
const TURN = 100;
/** Partitions that records without a key keep busy at once: more make the batches smaller, not the rate higher. */
const BUSY = 3;

/** Chooses partitions: by key as the Java client does, else in turns that let batches fill. */
export class Partitioner {
  readonly #scratch = Buffer.allocUnsafe(MAX_KEY_BYTES);
  #partitions: number;
  readonly #busy = new Set<number>();
  #current = 0;
  #taken = 0;

  constructor(partitions: number, first: number) {
    this.#partitions = partitions;
    this.#current = first % partitions;
  }

  /** The topic has grown. */
  resize(partitions: number): void {
    this.#partitions = partitions;
    this.#current %= partitions;
  }

  began(partition: number): void {
    this.#busy.add(partition);
  }

  ended(partition: number): void {
    this.#busy.delete(partition);
  }

  partitionOf({ key }: OutgoingRecord): number {
    if (key === undefined) return this.#next();
    const length = this.#scratch.write(key, 'utf8');
    return (murmur2(this.#scratch, length) & 0x7fffffff) % this.#partitions;
  }

  #next(): number {
    const waits = this.#busy.has(this.#current) && this.#busy.size < BUSY;
    if (this.#taken >= TURN || waits) this.#turn();
    this.#taken += 1;
    return this.#current;
  }

  /** To the next partition that has no write under way, if there is one. */
  #turn(): void {
    this.#taken = 0;
    for (let step = 1; step <= this.#partitions; step++) {
      const next = (this.#current + step) % this.#partitions;
      if (this.#busy.has(next) && step < this.#partitions) continue;
      this.#current = next;
      return;
    }
  }
}
