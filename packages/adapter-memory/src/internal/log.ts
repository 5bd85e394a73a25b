import { type MessageFields, positionOf, type StoredMessage, stored } from '../codec.js';

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
  /** When the first message came that may be dropped and stands below `floor`, in the order of the topic; else infinity. */
  droppable(floor: number): number;
  /** Drops the message that {@link droppable} found. */
  drop(floor: number): MessageFields | undefined;
  /** What plain clients see. */
  stored(partition: number): Iterable<StoredMessage>;
}

/** Dropping begins at the oldest message. */
export class PlainLog implements Log {
  /**
   * The very records that were written: a copy of each would be one more object that lives as long as the message, which every
   * young collection on its way has to move.
   */
  #messages: (MessageFields | undefined)[] = [];
  /** Order of arrival in the topic, over all partitions, for each of `#messages`. */
  #sequences: number[] = [];
  /** Offset of `#messages[0]`; below `start` there are only holes. */
  #origin = 0;
  #start = 0;

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#origin + this.#messages.length;
  }

  append(message: MessageFields, sequence: number): void {
    this.#messages.push(message);
    this.#sequences.push(sequence);
  }

  get(offset: number): MessageFields | undefined {
    return this.#messages[offset - this.#origin];
  }

  seek(offset: number): number {
    return Math.max(offset, this.#start);
  }

  droppable(floor: number): number {
    if (this.#start >= floor) return Number.POSITIVE_INFINITY;
    return this.#sequences[this.#start - this.#origin] as number;
  }

  drop(): MessageFields | undefined {
    const index = this.#start - this.#origin;
    const message = this.#messages[index];
    if (message === undefined) return undefined;
    this.#messages[index] = undefined;
    this.#start++;
    this.#compact();
    return message;
  }

  *stored(partition: number): Iterable<StoredMessage> {
    for (let offset = this.#start; offset < this.end; offset++) {
      const index = offset - this.#origin;
      const sequence = this.#sequences[index] as number;
      yield stored(this.#messages[index] as MessageFields, positionOf(partition, offset), sequence);
    }
  }

  /** Gives the dropped half back: amortised constant, and memory follows what is kept, not what passed. */
  #compact(): void {
    const holes = this.#start - this.#origin;
    if (holes < 64 || holes * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(holes);
    this.#sequences = this.#sequences.slice(holes);
    this.#origin = this.#start;
  }
}
