import type { IncomingRecord, TopicSpec } from '../adapter/spi.js';
import type { Timer } from '../clock.js';
import { passOver } from '../system/parcel.js';
import type { System } from '../system/system.js';
import { inboxOf } from '../system/topics.js';
import { Credit } from './credit.js';
import { Intake } from './intake.js';
import type { ResolvedSubscribeOptions } from './options.js';
import type { Ownership } from './ownership.js';
import { ParcelRecord } from './parcel-record.js';
import { ownReceiverSpec } from './receiver-spec.js';

/** How often it is looked whether somebody has redriven letters to this group. */
const LOOK_MS = 1_000;
/** Of `maxInFlight`, for the inbox. */
const PART = 4;
const MOST = 100;

export interface InboxSettings {
  readonly system: System;
  readonly topic: string;
  readonly group: string;
  /** The subscription itself will send there: it is made now. Else it is waited for. */
  readonly wanted: boolean;
  readonly shares: Pick<ResolvedSubscribeOptions, 'maxInFlight' | 'maxInFlightBytes'>;
  readonly mayGrant: () => boolean;
  /** So many of `maxInFlight` are the inbox's from now on. */
  readonly opened: (records: number) => void;
  readonly deliver: (records: readonly IncomingRecord[]) => void;
  readonly left: (source: Ownership) => void;
  readonly failed: (error: unknown) => void;
}

/** What comes for one group alone, on one topic: received as soon as there is such a thing. */
export class Inbox {
  readonly #settings: InboxSettings;
  readonly #spec: TopicSpec;
  readonly #credit: Credit;
  #intake: Intake | undefined;
  #look: Timer | undefined;
  #closed = false;

  constructor(settings: InboxSettings) {
    const { maxInFlight, maxInFlightBytes } = settings.shares;
    this.#settings = settings;
    this.#spec = inboxOf(settings.topic, settings.group, settings.system.history);
    const records = Math.max(1, Math.min(MOST, Math.floor(maxInFlight / PART)));
    this.#credit = new Credit({ maxInFlight: records, maxInFlightBytes, maxHeld: 0 });
  }

  /** Undefined as long as there is no inbox. */
  get intake(): Intake | undefined {
    return this.#intake;
  }

  get inFlight(): number {
    return this.#credit.inFlight;
  }

  get inFlightBytes(): number {
    return this.#credit.inFlightBytes;
  }

  async lag(): Promise<number> {
    return (await this.#intake?.lag()) ?? 0;
  }

  /** Where retries are released the inbox stands when this resolves, and the way there. */
  async open(signal: AbortSignal): Promise<void> {
    if (!this.#settings.wanted) return this.#lookLater(signal);
    await Promise.all([this.#join(signal), this.#settings.system.delays.start()]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#look?.cancel();
    await this.#intake?.close();
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { topic, group, opened } = this.#settings;
    const intake = this.#makeIntake();
    this.#intake = intake;
    try {
      await intake.open(`join the inbox of group '${group}' on topic '${topic}'`, signal);
    } catch (error) {
      this.#intake = undefined;
      throw error;
    }
    opened(this.#credit.limit);
  }

  #makeIntake(): Intake {
    const { system, group, shares, mayGrant, left, failed } = this.#settings;
    const bounds = { maxInFlight: this.#credit.limit, maxInFlightBytes: shares.maxInFlightBytes };
    return new Intake({
      broker: system.broker,
      spec: () => ownReceiverSpec(this.#spec, group, bounds),
      credit: this.#credit,
      held: () => 0,
      mayGrant,
      deliver: (records) => this.#deliver(records),
      left,
      failed,
    });
  }

  #deliver(records: readonly IncomingRecord[]): void {
    const parcels: ParcelRecord[] = [];
    for (const record of records) {
      const parcel = ParcelRecord.of(record);
      if (parcel !== undefined) parcels.push(parcel);
      else this.#passOver(record);
    }
    this.#settings.deliver(parcels);
  }

  #passOver(record: IncomingRecord): void {
    passOver(this.#settings.system.broker.runtime.log, this.#spec, record);
    this.#intake?.done(record);
  }

  #lookLater(signal: AbortSignal): void {
    if (this.#closed) return;
    const { clock, random } = this.#settings.system.broker.runtime;
    this.#look = clock.setTimer(LOOK_MS * (0.75 + random() / 2), () => void this.#lookNow(signal));
  }

  /** An error here is no more than "not known yet": the subscription's own intake hears of a broker that is down. */
  async #lookNow(signal: AbortSignal): Promise<void> {
    const { broker } = this.#settings.system;
    const there = await broker.adapter.exists(this.#spec).catch(() => false);
    if (this.#closed) return;
    if (!there) return this.#lookLater(signal);
    await this.#join(signal).catch((error) => {
      if (signal.aborted) return;
      broker.runtime.log.warn(`The inbox of group '${this.#settings.group}' cannot be received yet.`, { error });
      this.#lookLater(signal);
    });
  }
}
