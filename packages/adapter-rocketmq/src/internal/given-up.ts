import {
  type AdapterRuntime,
  type IncomingRecord,
  messageOf,
  type Receiver,
  type ReceiverSink,
  type Timer,
} from '@anymq/core/adapter';

/** How often it is looked whether the broker has given anything up: nobody says so. */
const LOOK_MS = 5_000;
/** Most that waits here for credit, and its bytes. */
const AHEAD = 32;
const AHEAD_BYTES = 4 * 1024 * 1024;
const WHY = 'it was delivered more often than the group’s retryMaxTimes allows';

export interface GivenUpSettings {
  readonly runtime: AdapterRuntime;
  readonly sink: ReceiverSink;
  /** Whether the broker has a place with what it gave up of the group. */
  isThere(): Promise<boolean>;
  /** Receives from there. */
  open(sink: ReceiverSink): Promise<Receiver>;
  /** To be handed to core as soon as there is credit: {@link GivenUp.handsOver} comes before. */
  deliver(records: readonly IncomingRecord[]): void;
}

/**
 * What the broker has given up of a group, in a topic that it makes for that when it first does. A group is made so that it never
 * should, but anybody may lower its `retryMaxTimes`.
 */
export class GivenUp {
  readonly #settings: GivenUpSettings;
  #look: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #receiver: Receiver | undefined;
  #opened = false;
  #closed = false;

  constructor(settings: GivenUpSettings) {
    this.#settings = settings;
    this.#lookLater();
  }

  /** Core is about to get these, which may be others' too. */
  handsOver(records: readonly IncomingRecord[]): void {
    if (this.#receiver === undefined) return;
    const ours = records.filter(isGivenUp);
    const bytes = ours.reduce((sum, { body }) => sum + body.length, 0);
    if (ours.length > 0) this.#receiver.credit(ours.length, bytes);
  }

  /** Settles what is from here. The rest. */
  settle(records: readonly IncomingRecord[]): readonly IncomingRecord[] {
    if (!this.#opened) return records;
    const ours = records.filter(isGivenUp);
    if (ours.length === 0) return records;
    this.#receiver?.settle(ours);
    return records.filter((record) => !isGivenUp(record));
  }

  async lag(): Promise<number> {
    return (await this.#receiver?.lag()) ?? 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#look?.cancel();
    await this.#looking;
    await this.#receiver?.close();
  }

  #lookLater(): void {
    const { clock, random } = this.#settings.runtime;
    if (this.#closed) return;
    this.#look = clock.setTimer(LOOK_MS * (0.75 + random() / 2), () => {
      this.#looking = this.#lookNow();
    });
  }

  async #lookNow(): Promise<void> {
    const { runtime, isThere, open } = this.#settings;
    try {
      if (await isThere()) this.#receiver = await open(this.#sink());
    } catch (error) {
      runtime.log.debug(`What RocketMQ has given up cannot be received yet: ${messageOf(error)}`);
    }
    this.#opened = this.#receiver !== undefined;
    if (this.#receiver === undefined) this.#lookLater();
    else this.#receiver.credit(AHEAD, AHEAD_BYTES);
  }

  #sink(): ReceiverSink {
    const { sink, deliver } = this.#settings;
    return {
      own: (name, stillOwned) => sink.own(name, stillOwned),
      deliver: (records) => deliver(records.map((record) => Object.assign(record, { givenUp: WHY }))),
      failed: (error) => void this.#failed(error),
    };
  }

  /** As without the right to read it: the group's own topic goes on. What is there stays there. */
  async #failed(error: unknown): Promise<void> {
    this.#settings.runtime.log.warn(`What RocketMQ has given up cannot be received: ${messageOf(error)}`);
    const receiver = this.#receiver;
    this.#receiver = undefined;
    await receiver?.close();
  }
}

const isGivenUp = ({ givenUp }: IncomingRecord): boolean => givenUp !== undefined;
