import { type AdapterRuntime, type Clock, messageOf, sleep, type Timer } from '@anymq/core/adapter';
import { MARKER } from '../codec.js';
import { classify, isNotFound } from '../errors.js';
import { registryOf } from '../names.js';
import { declareStream } from '../topology.js';
import { exists, withChannel, within } from './channels.js';
import type { Link } from './link.js';
import { publishOwn } from './publish.js';
import { readStream, type StreamReader } from './stream.js';

const SEGMENT_BYTES = 1_000_000;
/** The end of a stream is where for so long nothing comes. What is missed is written once more, or listed next time. */
const QUIET_MS = 200;
/** A stream of which less comes than the broker counts is waited for so long. */
const READ_TIMEOUT_MS = 3_000;
/** How long closing waits for what is being written. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A topic, or a group of one. */
type Entry = { readonly topic: string; readonly buckets: number } | { readonly topic: string; readonly group: string };

/** Reads on, and adds what it reads to a listing. */
interface Reading {
  readonly listing: Listing;
  readonly reader: StreamReader;
  /** Everything that stood there at the beginning is read. Rejects when reading ends before. */
  readonly caughtUp: Promise<void>;
}

/** What stood in the registry: buckets by topic, groups by topic. */
export class Listing {
  readonly buckets = new Map<string, number>();
  readonly groups = new Map<string, Set<string>>();

  add(entry: Entry): void {
    if ('buckets' in entry) this.buckets.set(entry.topic, entry.buckets);
    else this.groups.set(entry.topic, new Set(this.groups.get(entry.topic)).add(entry.group));
  }

  has(entry: Entry): boolean {
    if ('buckets' in entry) return this.buckets.get(entry.topic) === entry.buckets;
    return this.groups.get(entry.topic)?.has(entry.group) === true;
  }
}

export interface RegistrySettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  readonly confirmTimeoutMs: number;
  /** False: it is only read. */
  readonly mayCreate: boolean;
}

/**
 * The topics and groups of a namespace, in a stream, because AMQP lists nothing. Written in the background by whoever uses one
 * that it lacks, so what it says may be late, and may have been deleted since.
 */
export class Registry {
  readonly #settings: RegistrySettings;
  readonly #name: string;
  readonly #closing = new AbortController();
  /** What it has, as far as this process has read and written. */
  #known: Listing | undefined;
  #pending: Entry[] = [];
  #writing: Promise<void> | undefined;
  /** What it says as it comes, once somebody has asked. */
  #followed: Promise<Reading> | undefined;

  constructor(settings: RegistrySettings) {
    this.#settings = settings;
    this.#name = registryOf(settings.runtime.namespace);
  }

  /** Where it may not be created nobody keeps it. */
  get follows(): boolean {
    return this.#settings.mayCreate;
  }

  /** Something is used. Never fails, and nothing waits for it. */
  note(entry: Entry): void {
    if (!this.#settings.mayCreate || this.#closing.signal.aborted || this.#known?.has(entry) === true) return;
    this.#pending.push(entry);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /**
   * Has anybody registered the topic? Answers from memory: of what is registered at present, a moment late. AMQP itself can only be asked for a topic that may
   * not be there at the price of a channel and an error in the broker's log.
   */
  async knows(topic: string): Promise<boolean> {
    if (this.#known?.buckets.has(topic) === true) return true;
    if (this.#pending.some((entry) => 'buckets' in entry && entry.topic === topic)) return true;
    this.#followed ??= this.#follow().catch((error) => {
      this.#followed = undefined;
      throw error;
    });
    const { listing, caughtUp } = await this.#followed;
    await caughtUp;
    return listing.buckets.has(topic);
  }

  /** What was written may be gone with a broker that came back empty. */
  forget(): void {
    this.#known = undefined;
  }

  /** Everything that it says now, and what this process is about to add. */
  async read(): Promise<Listing> {
    const { consuming } = this.#settings;
    const there = await exists(consuming, (channel) => channel.checkQueue(this.#name));
    const listing = there ? await this.#readAll() : new Listing();
    for (const entry of this.#pending) listing.add(entry);
    return listing;
  }

  async close(): Promise<void> {
    if (this.#writing !== undefined && this.#settings.publishing.isUp)
      await within(this.#settings.runtime.clock, CLOSE_TIMEOUT_MS, this.#writing);
    this.#closing.abort();
    const follower = await this.#followed?.catch(() => undefined);
    await follower?.reader.close();
  }

  async #follow(): Promise<Reading> {
    await this.#declare();
    const reading = await this.#reading();
    // The next question begins anew.
    void reading.reader.over.then(() => {
      this.#followed = undefined;
    });
    return reading;
  }

  #declare(): Promise<void> {
    return withChannel(this.#settings.consuming, async (channel) => {
      await declareStream(channel, this.#name, SEGMENT_BYTES, {});
      await channel.assertExchange(this.#name, 'fanout', { durable: true });
      await channel.bindQueue(this.#name, this.#name, '');
    });
  }

  async #write(): Promise<void> {
    const { runtime, publishing } = this.#settings;
    const { signal } = this.#closing;
    const backoff = runtime.backoff();
    while (this.#pending.length > 0 && !signal.aborted) {
      try {
        await publishing.up(signal);
        await this.#writePending();
      } catch (error) {
        runtime.log.debug(`Topics and groups cannot be registered yet: ${messageOf(error)}`);
        // It may have been deleted, and is made again. For lack of rights nothing is listed, and works all the same.
        this.#known = undefined;
        if (!classify(error).retryable && !isNotFound(error)) this.#pending = [];
        await sleep(runtime.clock, backoff.next(), signal).catch(() => {});
      }
    }
  }

  async #writePending(): Promise<void> {
    if (this.#known === undefined) {
      await this.#declare();
      this.#known = await this.#readAll();
    }
    const known = this.#known;
    const entries = [...this.#pending];
    const lacking = entries.filter((entry) => !known.has(entry));
    if (lacking.length > 0) await publishOwn(this.#settings, this.#name, '', lacking.map(toMessage));
    for (const entry of lacking) known.add(entry);
    this.#pending = this.#pending.slice(entries.length);
  }

  async #readAll(): Promise<Listing> {
    const { listing, reader, caughtUp } = await this.#reading();
    try {
      await caughtUp;
      return listing;
    } finally {
      await reader.close();
    }
  }

  async #reading(): Promise<Reading> {
    const { runtime, consuming } = this.#settings;
    const listing = new Listing();
    const { messageCount } = await withChannel(consuming, (channel) => channel.checkQueue(this.#name));
    const end = new End(runtime.clock, messageCount);
    const reader = await readStream(consuming, this.#name, (message, done) => {
      listing.add(JSON.parse(message.content.toString()) as Entry);
      end.came();
      done(message);
    });
    const broken = reader.over.then((error) => Promise.reject(error));
    const caughtUp = Promise.race([broken, within(runtime.clock, READ_TIMEOUT_MS, end.reached)]).finally(() =>
      end.stop(),
    );
    caughtUp.catch(() => {});
    return { listing, reader, caughtUp };
  }
}

/** The end of a stream: everything that the broker counted has come, and then for a while nothing. */
class End {
  readonly reached: Promise<void>;
  readonly #clock: Clock;
  #left: number;
  #quiet: Timer | undefined;
  #stopped = false;
  #reach: () => void = () => {};

  constructor(clock: Clock, count: number) {
    this.#clock = clock;
    this.#left = count;
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.#wait();
  }

  came(): void {
    this.#left -= 1;
    this.#wait();
  }

  /** Nobody wants to know any more. */
  stop(): void {
    this.#stopped = true;
    this.#quiet?.cancel();
  }

  #wait(): void {
    this.#quiet?.cancel();
    if (this.#left <= 0 && !this.#stopped) this.#quiet = this.#clock.setTimer(QUIET_MS, this.#reach);
  }
}

function toMessage(entry: Entry): { id: string; content: Buffer; properties: Record<string, unknown> } {
  const id = 'group' in entry ? `${entry.topic}:${entry.group}` : entry.topic;
  const properties = { deliveryMode: 2, mandatory: true, messageId: id, type: MARKER };
  return { id, content: Buffer.from(JSON.stringify(entry)), properties };
}
