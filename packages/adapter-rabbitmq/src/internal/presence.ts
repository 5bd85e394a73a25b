import type { AdapterRuntime, Timer } from '@anymq/core/adapter';
import { type Channel, type ConsumeMessage, closeQuietly } from '../client.js';
import { MARKER } from '../codec.js';
import type { GroupNames } from '../names.js';
import { within } from './channels.js';
import { type Kept, keep } from './keep.js';
import type { Link } from './link.js';

export const BEAT_MS = 500;
const GONE_AFTER_MS = 1_500;
/** How long a good-bye may take on a connection that may be blocked. */
const BYE_TIMEOUT_MS = 1_000;

/** What members tell each other. `hello` asks for an answer at once. */
export interface Sign {
  readonly id: string;
  readonly kind: 'hello' | 'beat' | 'bye';
  /** Messages that the member has and has not settled. */
  readonly unsettled: number;
  /** A bucket that the member gives up, with no handler running. */
  readonly gave?: string;
}

interface Peer {
  readonly seen: number;
  readonly unsettled: number;
}

export interface PresenceSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  /** The topic's control exchange. */
  readonly control: string;
  readonly names: GroupNames;
  readonly id: string;
  unsettled(): number;
  /** Somebody came or went. */
  changed(): void;
  /** Called with every sign of life of this member. */
  beat(): void;
  /** Somebody has given up that bucket. */
  gave(bucket: string): void;
}

/**
 * Which members a group has, by signs of life. It may be wrong without harm: it only decides who gives up a bucket, the broker
 * alone decides who has it. Signs go over the publishing connection, because a broker in need blocks whatever publishes;
 * then each member believes to be alone, and keeps what it has.
 */
export class Presence {
  readonly #settings: PresenceSettings;
  readonly #peers = new Map<string, Peer>();
  readonly #closing = new AbortController();
  #speaking: Channel | undefined;
  #opening = false;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  /** Counts the queues: the name of one is not free as soon as its connection is gone. */
  #queues = 0;

  constructor(settings: PresenceSettings) {
    this.#settings = settings;
  }

  /** All members, this one too, in an order that all agree on. */
  get members(): readonly string[] {
    return [this.#settings.id, ...this.#peers.keys()].sort();
  }

  /** Messages that the others have and have not settled, as of their last sign. */
  get unsettledElsewhere(): number {
    let sum = 0;
    for (const { unsettled } of this.#peers.values()) sum += unsettled;
    return sum;
  }

  /** Tells the others that a bucket is given up, with no handler running. */
  give(bucket: string): void {
    this.#publish('beat', bucket);
  }

  /** Begins to listen and says hello. Afterwards it keeps itself going. */
  async start(): Promise<void> {
    const { runtime, consuming: link } = this.#settings;
    const { signal } = this.#closing;
    const what = `The queue of member '${this.#settings.id}'`;
    this.#running = keep({ runtime, link, signal, what, open: () => this.#listen() }, await this.#listen());
    this.#tick();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#publish('bye');
    const speaking = this.#speaking;
    if (speaking !== undefined) await within(this.#settings.runtime.clock, BYE_TIMEOUT_MS, closeQuietly(speaking));
    await this.#running;
  }

  async #listen(): Promise<Kept> {
    const { consuming, control, names, id } = this.#settings;
    const channel = await consuming.channel();
    const over = new Promise<void>((resolve) => channel.on('close', () => resolve()));
    this.#peers.clear();
    this.#queues += 1;
    const queue = names.member(`${id}-${this.#queues}`);
    try {
      await channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: true });
      await channel.bindQueue(queue, control, names.presence);
      await channel.consume(queue, (message) => this.#hear(message), { noAck: true });
    } catch (error) {
      await closeQuietly(channel);
      throw error;
    }
    await this.#say('hello');
    return { over, end: () => closeQuietly(channel) };
  }

  #tick(): void {
    this.#timer = this.#settings.runtime.clock.setTimer(BEAT_MS, () => {
      this.#tick();
      void this.#say('beat');
      this.#forgetSilent();
      this.#settings.beat();
    });
  }

  #hear(message: ConsumeMessage | null): void {
    if (message === null) return;
    const { id, kind, unsettled, gave } = JSON.parse(message.content.toString()) as Sign;
    if (id === this.#settings.id) return;
    if (gave !== undefined) this.#settings.gave(gave);
    const known = this.#peers.has(id);
    if (kind === 'bye') this.#peers.delete(id);
    else this.#peers.set(id, { seen: this.#settings.runtime.clock.monotonic(), unsettled });
    if (kind === 'hello') void this.#say('beat');
    if (known === (kind === 'bye')) this.#settings.changed();
  }

  #forgetSilent(): void {
    const oldest = this.#settings.runtime.clock.monotonic() - GONE_AFTER_MS;
    const silent = [...this.#peers].filter(([, { seen }]) => seen < oldest);
    for (const [id] of silent) this.#peers.delete(id);
    if (silent.length > 0) this.#settings.changed();
  }

  /** A sign that cannot be given now is not given: the next one is not far. */
  async #say(kind: Sign['kind']): Promise<void> {
    const { signal } = this.#closing;
    const { isUp, blocked } = this.#settings.publishing;
    const mayOpen = !this.#opening && !signal.aborted && isUp && blocked === undefined;
    if (this.#speaking === undefined && mayOpen) await this.#openSpeaking(signal);
    if (!signal.aborted) this.#publish(kind);
  }

  async #openSpeaking(signal: AbortSignal): Promise<void> {
    this.#opening = true;
    const channel = await this.#settings.publishing.channel().catch(() => undefined);
    this.#opening = false;
    if (channel === undefined) return;
    if (signal.aborted) return closeQuietly(channel);
    this.#speaking = channel;
    channel.on('close', () => {
      this.#speaking = undefined;
    });
  }

  #publish(kind: Sign['kind'], gave?: string): void {
    const { control, names, id, publishing } = this.#settings;
    if (publishing.blocked !== undefined) return;
    const sign: Sign = { id, kind, unsettled: this.#settings.unsettled(), ...(gave !== undefined && { gave }) };
    try {
      this.#speaking?.publish(control, names.presence, Buffer.from(JSON.stringify(sign)), { type: MARKER });
    } catch {
      // The channel is closing.
    }
  }
}
