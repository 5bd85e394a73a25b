import type { IncomingRecord, Receiver, ReceiverSink, ReceiverSpec, Source } from '../adapter/spi.js';
import type { Broker } from '../broker.js';
import type { MessagingError } from '../errors.js';
import type { Credit } from './credit.js';
import { Ownership } from './ownership.js';

export interface IntakeSettings {
  readonly broker: Broker;
  /** Asked for each try to open: a name made at random must not meet what a failed try left. */
  readonly spec: () => ReceiverSpec;
  readonly credit: Credit;
  /** How much of what is unsettled waits after a failure. */
  readonly held: () => number;
  /** More may come. */
  readonly mayGrant: () => boolean;
  readonly owned?: (source: Ownership) => void;
  readonly deliver: (records: IncomingRecord[]) => void;
  /** The source ends: what of it nobody works on must be dropped, what is done must be settled. May be told twice. */
  readonly left: (source: Ownership) => void;
  readonly failed: (error: unknown) => void;
}

/** One receiver: grants it credit, knows what it owns, settles in batches. */
export class Intake {
  readonly #settings: IntakeSettings;
  readonly #sources = new Set<Ownership>();
  #receiver: Receiver | undefined;
  #settled: IncomingRecord[] = [];
  #flushing = false;
  #closed = false;

  constructor(settings: IntakeSettings) {
    this.#settings = settings;
  }

  /** Resolves when membership stands. What is opened after a close is closed again. */
  async open(what: string, signal: AbortSignal): Promise<void> {
    const { broker, spec } = this.#settings;
    const sink = this.#sink();
    const receiver = await broker.run((adapter) => adapter.openReceiver(spec(), sink), what, signal);
    if (this.#closed) return receiver.close();
    this.#receiver = receiver;
    this.flushSoon();
  }

  get opened(): boolean {
    return this.#receiver !== undefined;
  }

  async lag(): Promise<number> {
    return (await this.#receiver?.lag()) ?? 0;
  }

  done(record: IncomingRecord): void {
    this.#settled.push(record);
    this.dropped(record);
  }

  dropped(record: IncomingRecord): void {
    this.#settings.credit.free(record);
    (record.source as Ownership).inHand -= 1;
    this.flushSoon();
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#receiver?.hold(record, attempts);
  }

  /** One settlement and one grant of credit for all that ends in the same turn. */
  flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  flush(): void {
    const { mayGrant, credit, held } = this.#settings;
    if (this.#receiver === undefined) return;
    if (this.#settled.length > 0) {
      const settled = this.#settled;
      this.#settled = [];
      this.#receiver.settle(settled);
    }
    if (!this.#closed && mayGrant()) credit.grant(this.#receiver, held());
  }

  /** Tells what still runs that its time is over. */
  abort(reason: MessagingError): void {
    for (const source of this.#sources) source.abort(reason);
  }

  lost(reason?: MessagingError): void {
    for (const source of [...this.#sources]) source.lost(reason);
  }

  /** What is settled is on the broker when this resolves; the rest goes back to the group. */
  async close(): Promise<void> {
    this.#closed = true;
    this.flush();
    const receiver = this.#receiver;
    await receiver?.close();
    this.lost();
    this.#receiver = undefined;
  }

  #sink(): ReceiverSink {
    const { credit, deliver, failed } = this.#settings;
    return {
      own: (name, stillOwned) => this.#own(name, stillOwned),
      deliver: (records) => {
        // It went back to the group with everything else.
        if (this.#closed) return;
        credit.used(records);
        for (const { source } of records) (source as Ownership).inHand += 1;
        deliver(records as IncomingRecord[]);
      },
      failed,
    };
  }

  #own(name: string, stillOwned = () => true): Source {
    const source = new Ownership(name, (left) => this.#left(left), stillOwned);
    this.#sources.add(source);
    this.#settings.owned?.(source);
    return source;
  }

  #left(source: Ownership): void {
    // Looking for what is left of it is linear in all that waits, and some engines begin an ownership with every poll.
    if (source.inHand > 0) this.#settings.left(source);
    this.flush();
    this.#sources.delete(source);
  }
}
