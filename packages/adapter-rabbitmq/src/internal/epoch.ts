import type { AdapterRuntime, ByteCredit, IncomingRecord, ReceiverSink, Source } from '@anymq/core/adapter';
import { type Channel, type ConsumeMessage, closeQuietly } from '../client.js';
import { fault } from '../errors.js';
import { Acks } from './acks.js';
import type { Kept } from './keep.js';
import { type MarkerKind, markerOf, markerProperties } from './markers.js';
import type { Notes } from './notes.js';
import { PastProgress } from './past.js';
import { RabbitmqRecord, type Settler, whenceOf } from './record.js';

/** What an epoch needs of its receiver. */
export interface EpochSettings {
  readonly runtime: AdapterRuntime;
  readonly sink: ReceiverSink;
  readonly notes: Notes;
  /** Queues of the bucket. */
  readonly live: string;
  readonly past: string;
  /** The topic's control exchange: markers come through it. */
  readonly control: string;
  /** `live` has what the broker gave up of the group's other queues. */
  readonly givenUp: boolean;
  /** The receiver closes: nobody waits for handlers any more. */
  readonly closing: AbortSignal;
  /** The broker cannot have given the bucket to somebody else while the channel lives. */
  stillOwned(): boolean;
  madeUpId(): string;
  /** There is something to hand over. */
  wake(): void;
  /** There is something to acknowledge. */
  dirty(epoch: Epoch): void;
  /** Resolves when what came before, to another member, may be handled. */
  handedOver(): Promise<void>;
  /** This member gives the bucket up, and no handler runs. */
  gave(): void;
  /** Whether there is a `past` queue. */
  pastExists(): Promise<boolean>;
}

/**
 * One channel's life on one bucket. The broker gives a bucket to one channel at a time; closing it is the only way of giving
 * a bucket up in which nothing overlaps and order holds.
 */
export class Epoch implements Kept, Settler {
  readonly #settings: EpochSettings;
  readonly #channel: Channel;
  readonly #acks: Acks;
  #past: PastProgress | undefined;
  readonly #queues: string[] = [];
  readonly over: Promise<void>;
  voluntary = false;
  #source: Source | undefined;
  #buffer: RabbitmqRecord[] = [];
  /** First of `#buffer` that is still to be handed over. */
  #head = 0;
  #unsettled = 0;
  #ended = false;
  #giving: Promise<void> | undefined;
  #handedOver: Promise<void> | undefined;
  #lastError: unknown;

  constructor(channel: Channel, settings: EpochSettings) {
    this.#channel = channel;
    this.#settings = settings;
    this.#acks = new Acks((tag, upTo) => this.#ack(tag, upTo));
    channel.on('error', (error) => {
      this.#lastError = error;
    });
    this.over = new Promise((resolve) => channel.on('close', () => resolve(this.#over())));
  }

  /** The broker has given it something: it has the bucket. */
  get owned(): boolean {
    return this.#source !== undefined && !this.#ended;
  }

  get unsettled(): number {
    return this.#ended ? 0 : this.#unsettled;
  }

  /** Settled, and the broker was not told. */
  get toAcknowledge(): number {
    return this.#ended ? 0 : this.#acks.pending;
  }

  /** Stands in line for the bucket. */
  async open(): Promise<void> {
    await this.#consume(this.#settings.live, (message) => this.#fromLive(message));
  }

  /** Moves at most `max` records, as far as `bytes` suffice, into `into`. */
  take(max: number, bytes: ByteCredit, into: IncomingRecord[]): number {
    let taken = 0;
    if (this.#giving !== undefined || this.#ended) return taken;
    for (; taken < max; taken += 1) {
      const record = this.#buffer[this.#head];
      if (record === undefined || !record.ready || !bytes.take(record.body.length)) break;
      into.push(record);
      this.#head += 1;
    }
    if (this.#head === this.#buffer.length || this.#head > 1_000) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  settled(record: RabbitmqRecord): void {
    if (this.#ended) return;
    this.#unsettled -= 1;
    this.#done(record.tag);
    if (!record.past) return;
    this.#past?.settled();
    this.#leavePast();
  }

  /** Tells the broker what is settled. */
  flush(): void {
    if (!this.#ended) this.#acks.flush();
  }

  /** Gives the bucket up in good order: running handlers end first, unless the receiver closes. */
  end(): Promise<void> {
    this.voluntary = true;
    this.#giving ??= this.#giveUp();
    return this.#giving;
  }

  async #giveUp(): Promise<void> {
    if (this.#ended) return;
    if (this.#source !== undefined) await this.#drain(this.#source);
    this.flush();
    try {
      // A second consumer of the same channel stands behind the first: when it is there, the acknowledgements before it have
      // been dealt with. Without it closing drops hundreds of them.
      const had = this.#source === undefined ? [] : this.#queues;
      for (const queue of had) await this.#channel.consume(queue, () => {});
    } catch {
      // The channel broke, or the queue is gone.
    }
    await closeQuietly(this.#channel);
  }

  async #drain(source: Source): Promise<void> {
    const { closing, gave } = this.#settings;
    const waited = new AbortController();
    const drained = source.drain().then(() => true);
    const cut = Promise.race([aborted(closing, waited.signal), this.over]).then(() => false);
    const inGoodOrder = await Promise.race([drained, cut]);
    waited.abort();
    if (inGoodOrder && !this.#ended) gave();
  }

  async #consume(queue: string, onMessage: (message: ConsumeMessage | null) => void): Promise<void> {
    this.#queues.push(queue);
    await this.#channel.consume(queue, onMessage);
  }

  #fromLive(message: ConsumeMessage | null): void {
    if (message === null) {
      this.#fail(fault('NOT_FOUND', `Queue '${this.#settings.live}' was deleted from RabbitMQ.`));
    } else if (this.#past?.keepBehind(message) !== true) this.#live(message);
  }

  #live(message: ConsumeMessage): void {
    const { control, givenUp } = this.#settings;
    const tag = message.fields.deliveryTag;
    const marker = markerOf(message, control);
    if (marker !== undefined && givenUp) this.#putBack(message, marker);
    else if (marker === 'gate') {
      this.#own();
      this.#past = new PastProgress(tag);
      this.#openPast(tag).catch((error) => this.#fail(error));
    } else if (marker !== undefined && this.#past !== undefined) {
      this.#past.passed(tag);
      this.#leavePast();
      // Without a past a marker is what an owner before has left: it means nothing any more.
    } else if (marker !== undefined || this.#past?.isDouble(message)) this.#done(tag);
    else this.#arrived(message, false);
  }

  /** Without it a `past` queue would never be opened, or never end. Where it stands then is not where it stood: order may suffer. */
  #putBack(message: ConsumeMessage, kind: MarkerKind): void {
    const { fields, properties, content } = message;
    const marker = markerProperties(kind, properties.messageId);
    this.#channel.publish(this.#settings.control, whenceOf(message).queue, content, marker);
    this.#done(fields.deliveryTag);
  }

  #own(): Source {
    const { sink, live, stillOwned } = this.#settings;
    this.#source ??= sink.own(live, stillOwned);
    return this.#source;
  }

  /** Only who has the bucket consumes its past: the broker drops a connection that asks for a queue just being deleted. */
  async #openPast(gateTag: number): Promise<void> {
    const { past, pastExists } = this.#settings;
    if (await pastExists()) {
      await this.#consume(past, (message) => this.#fromPast(message));
      return;
    }
    // The owner before has come through it, and went before it could say so.
    const behind = this.#past?.release() ?? [];
    this.#past = undefined;
    this.#done(gateTag);
    for (const message of behind) this.#live(message);
  }

  #fromPast(message: ConsumeMessage | null): void {
    // It is deleted when all is done.
    if (message === null || this.#past === undefined) return;
    if (markerOf(message, this.#settings.control) === undefined) {
      this.#arrived(message, true);
      return;
    }
    for (const waited of this.#past.ended(message)) this.#live(waited);
    this.#leavePast();
  }

  #arrived(message: ConsumeMessage, past: boolean): void {
    const { live, runtime, madeUpId, givenUp } = this.#settings;
    const source = this.#own();
    const queue = past ? this.#settings.past : live;
    const now = (): number => runtime.clock.now();
    const record = new RabbitmqRecord({ message, source, settler: this, queue, past, givenUp, madeUpId, now });
    this.#unsettled += 1;
    if (past) this.#past?.arrived();
    this.#buffer.push(record);
    if (record.ready) this.#settings.wake();
    else this.#recall(record);
  }

  /** It came before, to whomever: waits until nobody handles it, and all that was said about it is known. */
  #recall(record: RabbitmqRecord): void {
    const { notes, wake, handedOver } = this.#settings;
    this.#handedOver ??= handedOver();
    Promise.all([notes.caughtUp(), this.#handedOver]).then(() => {
      record.attempts = notes.attemptsOf(record.id);
      record.ready = true;
      wake();
    });
  }

  #leavePast(): void {
    if (this.#past?.complete) this.#deletePast(this.#past).catch((error) => this.#fail(error));
  }

  async #deletePast({ tags }: PastProgress): Promise<void> {
    const { past } = this.#settings;
    this.#past = undefined;
    this.#queues.splice(this.#queues.indexOf(past), 1);
    await this.#channel.deleteQueue(past);
    for (const tag of tags) this.#done(tag);
  }

  #done(tag: number): void {
    this.#acks.settle(tag);
    this.#settings.dirty(this);
  }

  #ack(tag: number, upTo: boolean): void {
    try {
      this.#channel.ack({ fields: { deliveryTag: tag } } as ConsumeMessage, upTo);
    } catch {
      // The channel is gone: what was settled on it comes again.
    }
  }

  #fail(error: unknown): void {
    this.#lastError ??= error;
    void closeQuietly(this.#channel);
  }

  #over(): void {
    this.#ended = true;
    this.#buffer = [];
    if (!this.voluntary) this.#source?.lost(this.#lastError);
  }
}

/** @param waited aborted: nobody waits any more */
function aborted(signal: AbortSignal, waited: AbortSignal): Promise<void> {
  // By then what has no handler running is drained.
  if (signal.aborted) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { signal: waited }));
}
