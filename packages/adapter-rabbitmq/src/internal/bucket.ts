import { type AdapterRuntime, type IncomingRecord, messageOf, type ReceiverSink } from '@anymq/core/adapter';
import { classify, isNotFound } from '../errors.js';
import { closeQuietly } from './channels.js';
import { Epoch } from './epoch.js';
import { keep } from './keep.js';
import type { Link } from './link.js';
import type { Notes } from './notes.js';

/** What a bucket needs of its receiver. */
export interface BucketSettings {
  readonly runtime: AdapterRuntime;
  readonly link: Link;
  readonly sink: ReceiverSink;
  readonly notes: Notes;
  readonly live: string;
  readonly past: string;
  readonly control: string;
  /** Most unsettled messages on the channel, per queue. */
  readonly prefetch: number;
  madeUpId(): string;
  wake(): void;
  dirty(epoch: Epoch): void;
}

/** One member's place at one bucket: always either having it or standing in line for it. */
export class Bucket {
  readonly #settings: BucketSettings;
  readonly #closing = new AbortController();
  #epoch: Epoch | undefined;
  #hasPast: boolean;
  #keeping: Promise<void> | undefined;

  /** @param hasPast the group's past on this bucket may not be handled yet */
  constructor(settings: BucketSettings, hasPast: boolean) {
    this.#settings = settings;
    this.#hasPast = hasPast;
  }

  get owned(): boolean {
    return this.#epoch?.owned === true;
  }

  get unsettled(): number {
    return this.#epoch?.unsettled ?? 0;
  }

  get hasPast(): boolean {
    return this.#hasPast;
  }

  async start(): Promise<void> {
    const { runtime, link, live, sink } = this.#settings;
    const first = await this.#open();
    const hopeless = (error: unknown): boolean => {
      const { retryable } = classify(error);
      if (!retryable) sink.failed(error);
      else runtime.log.debug(`Queue '${live}' cannot be consumed yet: ${messageOf(error)}`);
      return !retryable;
    };
    const { signal } = this.#closing;
    this.#keeping = keep({ runtime, link, signal, what: `Queue '${live}'`, open: () => this.#open(), hopeless }, first);
  }

  take(max: number, into: IncomingRecord[]): number {
    return this.#epoch?.take(max, into) ?? 0;
  }

  /** Goes to the end of the line; what it has is given up in good order first. */
  async requeue(): Promise<void> {
    await this.#epoch?.giveUp(this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // An epoch that is being opened right now sees the signal itself.
    await this.#epoch?.giveUp(this.#closing.signal);
    await this.#keeping;
  }

  async #open(): Promise<Epoch> {
    const epoch = (this.#hasPast ? await this.#openPast() : undefined) ?? (await this.#openLive());
    this.#epoch = epoch;
    if (this.#closing.signal.aborted) await epoch.giveUp(this.#closing.signal);
    return epoch;
  }

  async #openPast(): Promise<Epoch | undefined> {
    const epoch = await this.#newEpoch();
    try {
      await epoch.consumePast();
      return epoch;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#hasPast = false;
      return undefined;
    }
  }

  async #openLive(): Promise<Epoch> {
    const epoch = await this.#newEpoch();
    await epoch.consumeLive();
    return epoch;
  }

  async #newEpoch(): Promise<Epoch> {
    const { link, prefetch } = this.#settings;
    const channel = await link.channel();
    try {
      await channel.prefetch(prefetch);
    } catch (error) {
      await closeQuietly(channel);
      throw error;
    }
    const pastEnded = (): void => {
      this.#hasPast = false;
    };
    return new Epoch(channel, { ...this.#settings, pastEnded });
  }
}
