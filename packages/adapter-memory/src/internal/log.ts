import { type MessageFields, positionOf, type StoredMessage, sizeOf, stored } from '../codec.js';
import { Archive } from './archive.js';

/** One partition: messages at offsets that only grow and never change. Which of them may go is the kind's own affair. */
export interface Log {
  /** Offset of the oldest message that is kept. */
  readonly start: number;
  /** Offset that the next message will get. */
  readonly end: number;
  append(message: MessageFields, sequence: number): void;
  /** Undefined when it was dropped. */
  get(offset: number): MessageFields | undefined;
  /** Offset of the first message that is kept from `offset` on; {@link end} without one. */
  seek(offset: number): number;
  /** Nobody waits for what stands below `floor`: it may be kept in another way. */
  archive(floor: number): void;
  /** When the first message came that may be dropped and stands below `floor`, in the order of the topic; else infinity. */
  droppable(floor: number): number;
  /** Drops the message that {@link droppable} found. Returns what it counted, see `sizeOf`; undefined without one. */
  drop(floor: number): number | undefined;
  /** What plain clients see. */
  stored(partition: number): Iterable<StoredMessage>;
}

/** Dropping begins at the oldest message. */
export class PlainLog implements Log {
  readonly #archive = new Archive();
  /**
   * Of the end of the archive on: the very records that were written. A copy of each would be one more object that lives as long as
   * the message.
   */
  #messages: (MessageFields | undefined)[] = [];
  /** Order of arrival in the topic, over all partitions, for each of `#messages`. */
  #sequences: number[] = [];
  /** Offset of `#messages[0]`; below the end of the archive there are only holes. */
  #origin = 0;

  get start(): number {
    return this.#archive.start;
  }

  get end(): number {
    return this.#origin + this.#messages.length;
  }

  append(message: MessageFields, sequence: number): void {
    this.#messages.push(message);
    this.#sequences.push(sequence);
  }

  get(offset: number): MessageFields | undefined {
    if (offset >= this.#archive.end) return this.#messages[offset - this.#origin];
    return offset < this.#archive.start ? undefined : this.#archive.get(offset);
  }

  seek(offset: number): number {
    return Math.max(offset, this.start);
  }

  archive(floor: number): void {
    for (let offset = this.#archive.end; offset < floor; offset++) {
      const index = offset - this.#origin;
      this.#archive.add(this.#messages[index] as MessageFields, this.#sequences[index] as number);
      this.#messages[index] = undefined;
    }
    this.#compact();
  }

  droppable(floor: number): number {
    return this.start >= floor ? Number.POSITIVE_INFINITY : this.#sequence(this.start);
  }

  drop(): number | undefined {
    if (this.#archive.start < this.#archive.end) return this.#archive.drop();
    const index = this.start - this.#origin;
    const message = this.#messages[index];
    if (message === undefined) return undefined;
    this.#messages[index] = undefined;
    this.#archive.skip(this.start + 1);
    this.#compact();
    return sizeOf(message.body.length, message.headers);
  }

  *stored(partition: number): Iterable<StoredMessage> {
    for (let offset = this.start; offset < this.end; offset++)
      yield stored(this.get(offset) as MessageFields, positionOf(partition, offset), this.#sequence(offset));
  }

  #sequence(offset: number): number {
    if (offset < this.#archive.end) return this.#archive.sequence(offset);
    return this.#sequences[offset - this.#origin] as number;
  }

  /** Gives the half that is gone back: amortised constant, and memory follows what is kept, not what passed. */
  #compact(): void {
    const holes = this.#archive.end - this.#origin;
    if (holes < 64 || holes * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(holes);
    this.#sequences = this.#sequences.slice(holes);
    this.#origin = this.#archive.end;
  }
}
