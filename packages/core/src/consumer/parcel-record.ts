import type { IncomingRecord, Source } from '../adapter/spi.js';
import { type BareMessage, type ParcelNote, unpack } from '../system/parcel.js';

/** A message that came by its group's inbox, as it was when the group got it first. */
export class ParcelRecord implements IncomingRecord {
  /** What the adapter handed over, and gets back. */
  readonly carrier: IncomingRecord;
  readonly note: ParcelNote;
  readonly attempts: number;
  readonly redelivered: boolean;
  readonly #message: BareMessage;

  private constructor(carrier: IncomingRecord, message: BareMessage, note: ParcelNote) {
    this.carrier = carrier;
    this.note = note;
    // The adapter counts the calls since a copy was written, on top of what the copy says: it was told the sum.
    this.attempts = Math.max(note.attempts ?? 0, carrier.attempts);
    this.redelivered = true;
    this.#message = message;
  }

  /** Undefined for what is no parcel. */
  static of(carrier: IncomingRecord): ParcelRecord | undefined {
    const parcel = unpack(carrier);
    return parcel && new ParcelRecord(carrier, parcel.message, parcel.note);
  }

  get source(): Source {
    return this.carrier.source;
  }

  get position(): string {
    return this.note.position ?? this.carrier.position;
  }

  get id(): string {
    return this.#message.id;
  }

  get key(): string | undefined {
    return this.note.key;
  }

  get body(): Uint8Array {
    return this.#message.body;
  }

  get headers(): Readonly<Record<string, string>> | undefined {
    return this.#message.headers;
  }

  get time(): number {
    return this.#message.time;
  }

  get type(): string {
    return this.note.type;
  }

  get contentType(): string {
    return this.note.contentType;
  }

  get givenUp(): string | undefined {
    return this.carrier.givenUp;
  }
}
