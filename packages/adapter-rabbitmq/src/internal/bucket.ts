import {
  type AdapterRuntime,
  type ByteCredit,
  type IncomingRecord,
  messageOf,
  type ReceiverSink,
} from '@anymq/core/adapter';

import { closeQuietly } from '../client.js';
import { classify } from '../errors.js';
import { exists } from './channels.js';
import { Epoch } from './epoch.js';
import { type Kept, keep } from './keep.js';
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
  readonly givenUp: boolean;
  /** Most unsettled messages on the channel, per queue. */
  readonly prefetch: number;
  madeUpId(): string;
  wake(): void;
  dirty(epoch: Epoch): void;
  /** See {@link EpochSettings}, as the next. */
  handedOver(): Promise<void>;
  gave(): void;
  /** It cannot be consumed any more. */
  failed(error: unknown): void;
}

/** One member's place at one bucket: always either having it or standing in line for it. */
export class Bucket {
  readonly #settings: BucketSettings;
  readonly #closing = new AbortController();
  #epoch: Epoch | undefined;
  #starting: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(settings: BucketSettings) {
    this.#settings = settings;
  }

  get queue(): string {
    return this.#settings.live;
  }

  get owned(): boolean {
    return this.#epoch?.owned === true;
  }

  get unsettled(): number {
    return this.#epoch?.unsettled ?? 0;
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { runtime, link, live, failed } = this.#settings;
    const first = await this.#open();
    const hopeless = (error: unknown): boolean => {
      const { retryable } = classify(error);
      if (!retryable) failed(error);
      else runtime.log.debug(`Queue '${live}' cannot be consumed yet: ${messageOf(error)}`);
      return !retryable;
    };
    const { signal } = this.#closing;
    this.#keeping = keep({ runtime, link, signal, what: `Queue '${live}'`, open: () => this.#open(), hopeless }, first);
  }

  take(max: number, bytes: ByteCredit, into: IncomingRecord[]): number {
    return this.#epoch?.take(max, bytes, into) ?? 0;
  }

  /** Goes to the end of the line; what it has is given up in good order first. */
  async requeue(): Promise<void> {
    await this.#epoch?.end();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // Other buckets of the receiver may have failed while this one is being opened.
    await this.#starting?.catch(() => {});
    await this.#keeping;
  }

  async #open(): Promise<Kept> {
    const { link, prefetch, past } = this.#settings;
    const channel = await link.channel();
    const pastExists = (): Promise<boolean> => exists(link, (scratch) => scratch.checkQueue(past));
    const stillOwned = (): boolean => link.alive;
    const epoch = new Epoch(channel, { ...this.#settings, closing: this.#closing.signal, pastExists, stillOwned });
    try {
      await channel.prefetch(prefetch);
      await epoch.open();
    } catch (error) {
      await closeQuietly(channel);
      throw error;
    }
    this.#epoch = epoch;
    // What came before consuming was confirmed was looked for in the epoch before.
    this.#settings.wake();
    return epoch;
  }
}
