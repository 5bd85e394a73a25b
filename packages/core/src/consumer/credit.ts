import type { IncomingRecord, Receiver } from '../adapter/spi.js';

/** What a subscription may have unsettled. */
export interface CreditLimits {
  readonly maxInFlight: number;
  /** On top, for what waits after a failure. */
  readonly maxHeld: number;
  readonly maxInFlightBytes: number;
  /** More waits than `maxHeld`. Told again when half of that was free in between. */
  readonly heldTooMuch?: (held: number) => void;
}

/** Counts what is unsettled, and how much more the receiver may hand over. */
export class Credit {
  readonly #limits: CreditLimits;
  #records = 0;
  #bytes = 0;
  /** Given and not used yet. */
  #openRecords = 0;
  #openBytes = 0;
  /** What is somebody else's now. */
  #lent = 0;
  #told = false;

  constructor(limits: CreditLimits) {
    this.#limits = limits;
  }

  get limit(): number {
    return this.#limits.maxInFlight;
  }

  get inFlight(): number {
    return this.#records;
  }

  get inFlightBytes(): number {
    return this.#bytes;
  }

  /** So many of `maxInFlight` are for another intake from now on; one at least stays. */
  lend(records: number): void {
    this.#lent = Math.min(records, this.#limits.maxInFlight - 1);
  }

  /** The receiver is gone, and with it what it was given. */
  withdraw(): void {
    this.#openRecords = 0;
    this.#openBytes = 0;
  }

  /** These came for credit that was given. */
  used(records: readonly IncomingRecord[]): void {
    let bytes = 0;
    for (const { body } of records) bytes += body.length;
    this.#openRecords -= records.length;
    this.#records += records.length;
    this.#openBytes -= bytes;
    this.#bytes += bytes;
  }

  /** This one is settled or dropped. */
  free({ body }: IncomingRecord): void {
    this.#records -= 1;
    this.#bytes -= body.length;
  }

  /** @param held how much of what is unsettled waits after a failure: up to `maxHeld` it does not count */
  grant(receiver: Receiver, held: number): void {
    this.#tell(held);
    const { maxInFlight, maxHeld, maxInFlightBytes } = this.#limits;
    const mine = maxInFlight - this.#lent;
    // Below zero when what was held goes on: what was given is not taken back.
    const records = Math.max(0, mine + Math.min(held, maxHeld) - this.#records - this.#openRecords);
    const bytes = maxInFlightBytes - this.#bytes - this.#openBytes;
    if (records === 0 && bytes <= 0) return;
    this.#openRecords += records;
    this.#openBytes += bytes;
    receiver.credit(records, bytes);
  }

  #tell(held: number): void {
    const { maxHeld, heldTooMuch } = this.#limits;
    if (held <= maxHeld / 2) this.#told = false;
    if (held <= maxHeld || this.#told) return;
    this.#told = true;
    heldTooMuch?.(held);
  }
}
