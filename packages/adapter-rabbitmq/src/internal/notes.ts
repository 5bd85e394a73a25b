import { type AdapterRuntime, messageOf, sleep } from '@anymq/core/adapter';
import { type ConsumeMessage, closeQuietly } from '../client.js';
import { MARKER } from '../codec.js';
import type { GroupNames } from '../names.js';
import { declareStream } from '../topology.js';
import { exists, withChannel, within } from './channels.js';
import { Confirms, stored } from './confirms.js';
import type { Link } from './link.js';
import { randomName } from './random.js';
import { type Done, readStream, type StreamReader } from './stream.js';

/** Ids whose attempts are remembered; the newest win. */
const MAX_REMEMBERED = 100_000;
/** Entries in one record of the stream. */
const MAX_ENTRIES = 500;
const SEGMENT_BYTES = 1_000_000;
const RETENTION = Object.freeze({ 'x-max-length-bytes': 20_000_000, 'x-max-age': '30D' });
/** How long a redelivered message waits for its note, and closing for the confirmation of the last ones. */
const WAIT_MS = 2_000;

type Entry = readonly [id: string, attempts: number];
type NoteRecord = { readonly notes: readonly Entry[] } | { readonly sync: string };

export interface NotesSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  readonly control: string;
  readonly names: GroupNames;
  readonly confirmTimeoutMs: number;
  /** Others want to know. False: they are remembered here only. */
  readonly kept: boolean;
}

/**
 * Failed attempts by message id, kept in a stream of the group. Written only when a handler failed, read only when a message
 * comes again: what goes well costs nothing.
 */
export class Notes {
  readonly #settings: NotesSettings;
  readonly #closing = new AbortController();
  readonly #attempts = new Map<string, number>();
  /** Not confirmed yet. */
  #pending = new Map<string, number>();
  #writing: Promise<void> | undefined;
  #confirms: Confirms | undefined;
  #closeWriter: () => Promise<void> = async () => {};
  #reader: StreamReader | undefined;
  readonly #syncs = new Map<string, () => void>();
  #round: Promise<void> = Promise.resolve();
  #nextRound: Promise<void> | undefined;

  constructor(settings: NotesSettings) {
    this.#settings = settings;
  }

  attemptsOf(id: string): number {
    return this.#attempts.get(id) ?? 0;
  }

  /** `attempts` calls for `id` have failed. Written in the background, again until it is confirmed. */
  hold(id: string, attempts: number): void {
    this.#remember(id, attempts);
    if (!this.#settings.kept) return;
    this.#pending.set(id, attempts);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /**
   * Resolves when every note that was confirmed before this call is known here. One round serves all who ask before it began.
   * A broker that does not take messages now is waited for a moment only.
   */
  caughtUp(): Promise<void> {
    if (!this.#settings.kept) return Promise.resolve();
    this.#nextRound ??= this.#round.then(() => {
      this.#nextRound = undefined;
      this.#round = this.#catchUp().catch((error) => {
        this.#settings.runtime.log.warn(
          `Attempts of '${this.#settings.names.notes}' cannot be read: ${messageOf(error)}`,
        );
      });
      return this.#round;
    });
    return this.#nextRound;
  }

  async close(): Promise<void> {
    const { clock } = this.#settings.runtime;
    if (this.#writing !== undefined) await within(clock, WAIT_MS, this.#writing);
    this.#closing.abort();
    this.#confirms?.stop(new Error('closed'));
    await within(clock, WAIT_MS, this.#closeWriter());
    await this.#reader?.close();
  }

  #remember(id: string, attempts: number): void {
    this.#attempts.delete(id);
    this.#attempts.set(id, attempts);
    if (this.#attempts.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#attempts.keys();
    if (oldest !== undefined) this.#attempts.delete(oldest);
  }

  async #write(): Promise<void> {
    const { runtime, publishing } = this.#settings;
    const { signal } = this.#closing;
    const backoff = runtime.backoff();
    // What fails in the same turn goes together.
    await Promise.resolve();
    while (this.#pending.size > 0 && !signal.aborted) {
      const entries = [...this.#pending].slice(0, MAX_ENTRIES);
      try {
        await publishing.up(signal);
        await this.#publish({ notes: entries });
        for (const [id, attempts] of entries) if (this.#pending.get(id) === attempts) this.#pending.delete(id);
      } catch (error) {
        runtime.log.debug(`Attempts cannot be noted yet: ${messageOf(error)}`);
        await sleep(runtime.clock, backoff.next(), signal).catch(() => {});
      }
    }
  }

  async #publish(record: NoteRecord): Promise<void> {
    const { control, names } = this.#settings;
    const confirms = await this.#writer();
    const content = Buffer.from(JSON.stringify(record));
    const writing = confirms.write({
      count: 1,
      idOf: () => names.notes,
      publish: (channel) =>
        channel.publish(control, names.notes, content, {
          deliveryMode: 2,
          mandatory: true,
          messageId: names.notes,
          type: MARKER,
        }),
    });
    await stored(writing);
  }

  async #writer(): Promise<Confirms> {
    if (this.#confirms !== undefined && !this.#confirms.ended) return this.#confirms;
    const { runtime, publishing, consuming, control, names, confirmTimeoutMs } = this.#settings;
    await withChannel(consuming, async (channel) => {
      await declareStream(channel, names.notes, SEGMENT_BYTES, RETENTION);
      await channel.bindQueue(names.notes, control, names.notes);
    });
    const channel = await publishing.confirmChannel();
    const error = new Error('the stream is gone');
    const unroutable = () => ({ status: 'not-sent', error }) as const;
    this.#confirms = new Confirms(channel, { clock: runtime.clock, timeoutMs: confirmTimeoutMs, unroutable });
    this.#closeWriter = () => closeQuietly(channel);
    return this.#confirms;
  }

  async #catchUp(): Promise<void> {
    const { runtime, consuming, names } = this.#settings;
    if (this.#reader === undefined) {
      // Nobody has ever failed: the usual case after a crash.
      if (!(await exists(consuming, (channel) => channel.checkQueue(names.notes)))) return;
      await this.#openReader();
    }
    const token = randomName(runtime.random);
    const seen = new Promise<void>((resolve) => this.#syncs.set(token, resolve));
    const done = this.#publish({ sync: token }).then(() => seen);
    await within(runtime.clock, WAIT_MS, done);
    this.#syncs.delete(token);
  }

  async #openReader(): Promise<void> {
    const { consuming, names } = this.#settings;
    const reader = await readStream(consuming, names.notes, (message, done) => this.#read(message, done));
    this.#reader = reader;
    reader.over.then(() => {
      if (this.#reader === reader) this.#reader = undefined;
    });
  }

  #read(message: ConsumeMessage, done: Done): void {
    const record = JSON.parse(message.content.toString()) as NoteRecord;
    if ('sync' in record) this.#syncs.get(record.sync)?.();
    else for (const [id, attempts] of record.notes) this.#learn(id, attempts);
    done(message);
  }

  /** What this member knows itself may be newer than what the stream says. */
  #learn(id: string, attempts: number): void {
    this.#remember(id, Math.max(attempts, this.attemptsOf(id)));
  }
}
