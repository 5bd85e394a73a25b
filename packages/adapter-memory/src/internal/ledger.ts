import { type MessageFields, positionOf, type StoredMessage, sizeOf, stored } from '../codec.js';
import type { Log } from './log.js';

interface Entry {
  readonly offset: number;
  readonly sequence: number;
  /** Undefined: dropped. */
  message: MessageFields | undefined;
}

/** A partition that keeps the last message of each key for ever; only what another one of its key follows may go. */
export class Ledger implements Log {
  /** By offset, ascending. */
  #entries: Entry[] = [];
  readonly #last = new Map<string | undefined, Entry>();
  /** Entries that are not the last of their key and not dropped yet. */
  #superseded: Entry[] = [];
  #holes = 0;
  #end = 0;

  get start(): number {
    return this.seek(0);
  }

  get end(): number {
    return this.#end;
  }

  append(message: MessageFields, sequence: number): void {
    const entry = { offset: this.#end++, sequence, message };
    const before = this.#last.get(message.key);
    if (before !== undefined) this.#superseded.push(before);
    this.#last.set(message.key, entry);
    this.#entries.push(entry);
  }

  get(offset: number): MessageFields | undefined {
    const entry = this.#entries[this.#indexOf(offset)];
    return entry?.offset === offset ? entry.message : undefined;
  }

  seek(offset: number): number {
    let index = this.#indexOf(offset);
    while (index < this.#entries.length && this.#entries[index]?.message === undefined) index++;
    return this.#entries[index]?.offset ?? this.#end;
  }

  /** There are few: it keeps what it is given. */
  archive(): void {}

  droppable(floor: number): number {
    return this.#superseded.find(({ offset }) => offset < floor)?.sequence ?? Number.POSITIVE_INFINITY;
  }

  drop(floor: number): number | undefined {
    const index = this.#superseded.findIndex(({ offset }) => offset < floor);
    const [entry] = index < 0 ? [] : this.#superseded.splice(index, 1);
    const message = entry?.message;
    if (entry === undefined || message === undefined) return undefined;
    entry.message = undefined;
    this.#holes++;
    this.#compact();
    return sizeOf(message.body.length, message.headers);
  }

  *stored(partition: number): Iterable<StoredMessage> {
    for (const { offset, sequence, message } of this.#entries) {
      if (message !== undefined) yield stored(message, positionOf(partition, offset), sequence);
    }
  }

  /** Index of the first entry at `offset` or above. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Gives the holes back when they are the half: memory follows what is kept. */
  #compact(): void {
    if (this.#holes < 64 || this.#holes * 2 < this.#entries.length) return;
    this.#entries = this.#entries.filter(({ message }) => message !== undefined);
    this.#holes = 0;
  }
}
