import { type MessageFields, sizeOf } from '../codec.js';

/** Bytes of the first segment of an archive. Each of the next is twice as large, to 256 KiB. */
const FIRST_BYTES = 16 * 1024;
const DOUBLINGS = 4;
const FULL_BYTES = FIRST_BYTES << DOUBLINGS;
/** A segment has room for a message for each so many bytes. */
const BYTES_PER_MESSAGE = 128;

/** What most messages of a topic have in common. */
type Shape = Pick<MessageFields, 'type' | 'contentType' | 'headers'>;

const LAST_ASCII = 0x7f;

/**
 * A run of messages, the id and then the body of each behind one another in one piece of memory. An id as a string would be the one
 * object of a message that stays: 0.2 us for young collections to move it twice.
 */
class Segment {
  /** Offset of its first message. */
  first = 0;
  readonly bytes: Buffer;
  /** Where the id of each message ends, and its body begins. */
  readonly #bodies: Uint32Array;
  /** Where the body of each message ends. */
  readonly #ends: Uint32Array;
  readonly #times: Float64Array;
  readonly #sequences: Float64Array;
  /** Of native messages alone: none, or one that is not ASCII. */
  #oddIds: Map<number, string | undefined> | undefined;
  readonly #keys: (string | undefined)[] = [];
  #shape: Shape = {};
  /** Of messages that are not shaped as the first one. */
  #others: Map<number, Shape> | undefined;
  #used = 0;
  #count = 0;

  constructor(bytes: number) {
    const messages = Math.ceil(bytes / BYTES_PER_MESSAGE);
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.#bodies = new Uint32Array(messages);
    this.#ends = new Uint32Array(messages);
    this.#times = new Float64Array(messages);
    this.#sequences = new Float64Array(messages);
  }

  get end(): number {
    return this.first + this.#count;
  }

  /** Forgets what it has, and goes on at an offset. */
  begin(first: number): this {
    this.first = first;
    this.#others = undefined;
    this.#oddIds = undefined;
    this.#used = 0;
    this.#count = 0;
    return this;
  }

  /** False when there is no room for it. */
  add(message: MessageFields, sequence: number): boolean {
    const { body, type, contentType, headers } = message;
    const index = this.#count;
    if (index === this.#times.length || this.#used + roomOf(message) > this.bytes.length) return false;
    this.#bodies[index] = this.#addId(message.id);
    this.bytes.set(body, this.#used);
    this.#used += body.length;
    this.#ends[index] = this.#used;
    this.#times[index] = message.time;
    this.#sequences[index] = sequence;
    this.#keys[index] = message.key;
    if (index === 0) this.#shape = { type, contentType, headers };
    else if (!this.#isUsual(message))
      this.#others = (this.#others ?? new Map()).set(index, { type, contentType, headers });
    this.#count += 1;
    return true;
  }

  get(offset: number): MessageFields {
    const index = offset - this.first;
    const { type, contentType, headers } = this.#shapeAt(index);
    return {
      // A copy: the memory is used again.
      body: Uint8Array.prototype.slice.call(this.bytes, this.#bodies[index], this.#ends[index]),
      id: this.#idAt(index),
      key: this.#keys[index],
      time: this.#times[index] as number,
      type,
      contentType,
      headers,
    };
  }

  sequence(offset: number): number {
    return this.#sequences[offset - this.first] as number;
  }

  sizeOf(offset: number): number {
    const index = offset - this.first;
    return sizeOf((this.#ends[index] as number) - (this.#bodies[index] as number), this.#shapeAt(index).headers);
  }

  /** Returns where the body begins. A loop: for so few bytes calling what Node has would take twice as long. */
  #addId(id: string | undefined): number {
    if (id === undefined) return this.#addOddId(id);
    const from = this.#used;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      if (unit > LAST_ASCII) return this.#addOddId(id);
      this.bytes[from + i] = unit;
    }
    this.#used += id.length;
    return this.#used;
  }

  #addOddId(id: string | undefined): number {
    this.#oddIds ??= new Map();
    this.#oddIds.set(this.#count, id);
    return this.#used;
  }

  #idAt(index: number): string | undefined {
    if (this.#oddIds?.has(index)) return this.#oddIds.get(index);
    const from = index === 0 ? 0 : this.#ends[index - 1];
    return this.bytes.toString('latin1', from, this.#bodies[index]);
  }

  #shapeAt(index: number): Shape {
    return this.#others?.get(index) ?? this.#shape;
  }

  #isUsual({ type, contentType, headers }: MessageFields): boolean {
    const usual = this.#shape;
    return type === usual.type && contentType === usual.contentType && headers === usual.headers;
  }
}

/** Bytes that a message takes in a segment. */
const roomOf = ({ id, body }: MessageFields): number => (id?.length ?? 0) + body.length;

/**
 * Messages that nobody waits for any more, without an object for each: record and body would be moved by two young collections on the
 * way to where they grow old, and their bodies keep all that was encoded beside them.
 */
export class Archive {
  /** By offset, without a gap. */
  readonly #segments: Segment[] = [];
  /** Dropped: a steady history needs no new memory. */
  #spare: Segment | undefined;
  #start = 0;
  #end = 0;

  /** Offset of the oldest message that is kept. */
  get start(): number {
    return this.#start;
  }

  /** Offset that the next message will get. */
  get end(): number {
    return this.#end;
  }

  add(message: MessageFields, sequence: number): void {
    if (this.#segments.at(-1)?.add(message, sequence) !== true) this.#grow(message).add(message, sequence);
    this.#end++;
  }

  /** Of `start` to `end`. */
  get(offset: number): MessageFields {
    return this.#at(offset).get(offset);
  }

  sequence(offset: number): number {
    return this.#at(offset).sequence(offset);
  }

  /** Drops the oldest. Returns what it counted. */
  drop(): number {
    const [oldest] = this.#segments as [Segment];
    const size = oldest.sizeOf(this.#start++);
    if (this.#start === oldest.end && this.#segments.length > 1) this.#spare = this.#segments.shift();
    return size;
  }

  /** Goes on at `offset`, with nothing. */
  skip(offset: number): void {
    // Not a new one: without history every message comes this way.
    this.#segments.length = 0;
    this.#start = offset;
    this.#end = offset;
  }

  #grow(message: MessageFields): Segment {
    const bytes = Math.max(FIRST_BYTES << Math.min(DOUBLINGS, this.#segments.length), roomOf(message));
    const spare = this.#spare?.bytes.length === FULL_BYTES && bytes <= FULL_BYTES ? this.#spare : undefined;
    if (spare !== undefined) this.#spare = undefined;
    const segment = (spare ?? new Segment(bytes)).begin(this.#end);
    this.#segments.push(segment);
    return segment;
  }

  #at(offset: number): Segment {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle] as Segment).first <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#segments[low] as Segment;
  }
}
