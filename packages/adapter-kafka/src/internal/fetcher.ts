import { type AdapterRuntime, type Backoff, messageOf, sleep } from '@anymq/core/adapter';
import { classify, isStaleLeader, KafkaFault, typeOf } from '../errors.js';
import type { ParsedOptions } from '../options.js';
import type { Leaders } from './leaders.js';
import type { Link } from './link.js';
import { READ_COMMITTED } from './log-offsets.js';
import { Wake } from './wake.js';
import type { FetchedPartition } from './wire.js';

/** While a partition of the same broker waits for room, so that it is asked for soon after it has some. */
const SHORT_WAIT_MS = 50;
/**
 * Failures in a row that a later try should not heal, before the receiver is given up. More than one, because brokers that
 * have not heard yet of what changed elsewhere say that a topic is missing.
 */
const HOPELESS = 5;

/** A partition as far as fetching is concerned. */
export interface Fetched {
  readonly partition: number;
  /** Where to fetch next. */
  readonly position: number;
  readonly wantsMore: boolean;
  /** True when it brought the partition further. */
  accept(fetched: FetchedPartition): boolean;
}

export interface FetcherSettings<P extends Fetched> {
  readonly runtime: AdapterRuntime;
  readonly options: Pick<ParsedOptions, 'maxWaitMs' | 'maxBytes' | 'maxBytesPerPartition'>;
  readonly topic: string;
  readonly link: Link;
  readonly leaders: Leaders;
  /** Records came. */
  readonly fetched: () => void;
  /** The log of a partition has nothing where this one reads: it was deleted by retention, or the log was cut. */
  readonly outOfRange: (partition: P) => Promise<void>;
  /** It cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** Keeps one request for messages under way at each broker that leads a partition of ours with room for more. */
export class Fetcher<P extends Fetched> {
  readonly #settings: FetcherSettings<P>;
  readonly #partitions = new Map<number, P>();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #wake = new Wake();
  readonly #end = new AbortController();
  #backoff: Backoff | undefined;
  #hopeless = 0;

  constructor(settings: FetcherSettings<P>) {
    this.#settings = settings;
  }

  own(shares: Iterable<P>): void {
    for (const share of shares) this.#partitions.set(share.partition, share);
    this.#start();
  }

  disown(): void {
    this.#partitions.clear();
  }

  /** There may be room for more. */
  wake(): void {
    this.#wake.all();
  }

  stop(): void {
    this.#end.abort();
    this.#wake.all();
  }

  /** A loop for each broker that leads a partition of ours. */
  #start(): void {
    for (const share of this.#partitions.values()) {
      const node = this.#settings.leaders.of(share.partition);
      if (node === undefined || this.#loops.has(node) || this.#end.signal.aborted) continue;
      const loop = this.#loop(node).finally(() => this.#loops.delete(node));
      this.#loops.set(node, loop);
    }
    this.#wake.all();
  }

  async #loop(node: number): Promise<void> {
    while (!this.#end.signal.aborted) {
      const wanted = this.#wanted(node);
      if (wanted.length === 0) await this.#wake.next();
      else await this.#turn(node, wanted);
    }
  }

  #wanted(node: number): P[] {
    return [...this.#partitions.values()].filter((share) => share.wantsMore && this.#isLedBy(share, node));
  }

  #isLedBy(share: P, node: number): boolean {
    return this.#settings.leaders.of(share.partition) === node;
  }

  async #turn(node: number, wanted: readonly P[]): Promise<void> {
    try {
      const began = this.#settings.runtime.clock.monotonic();
      const progress = await this.#fetch(node, wanted);
      this.#backoff = undefined;
      this.#hopeless = 0;
      if (progress) this.#settings.fetched();
      // A broker that answers at once, but with nothing that can be read, must not be asked in a tight loop.
      else if (this.#settings.runtime.clock.monotonic() - began < SHORT_WAIT_MS / 2) await this.#pause(SHORT_WAIT_MS);
    } catch (error) {
      await this.#recover(error, wanted);
    }
  }

  async #fetch(node: number, wanted: readonly P[]): Promise<boolean> {
    const { options, topic, link } = this.#settings;
    const shares = new Map(wanted.map((share) => [share.partition, share]));
    const led = [...this.#partitions.values()].filter((share) => this.#isLedBy(share, node)).length;
    const broker = await link.broker(node);
    const { responses } = await broker.fetch({
      maxWaitTime: led > wanted.length ? Math.min(SHORT_WAIT_MS, options.maxWaitMs) : options.maxWaitMs,
      minBytes: 1,
      maxBytes: options.maxBytes,
      isolationLevel: READ_COMMITTED,
      topics: [
        {
          topic,
          partitions: wanted.map(({ partition, position }) => ({
            partition,
            fetchOffset: String(position),
            maxBytes: options.maxBytesPerPartition,
          })),
        },
      ],
    });
    let progress = false;
    for (const fetched of responses.flatMap((response) => response.partitions)) {
      if (shares.get(fetched.partition)?.accept(fetched)) progress = true;
    }
    return progress;
  }

  async #recover(error: unknown, wanted: readonly P[]): Promise<void> {
    if (this.#end.signal.aborted) return;
    const { runtime, topic, failed } = this.#settings;
    runtime.log.debug(`Cannot fetch from '${topic}' now.`, { error });
    if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') return this.#reset(error, wanted);
    const { retryable } = classify(error);
    this.#hopeless = retryable ? 0 : this.#hopeless + 1;
    // Rights and codecs do not come back by asking again; other faults of this kind get some tries.
    if (this.#hopeless >= HOPELESS || isFinal(error)) {
      this.stop();
      return failed(explained(error, topic));
    }
    if (isStaleLeader(error) || retryable) await this.#lookAgain();
    this.#backoff ??= runtime.backoff();
    await this.#pause(this.#backoff.next());
  }

  /** kafkajs says which partition it was, outside of its type. */
  async #reset(error: unknown, wanted: readonly P[]): Promise<void> {
    const { partition } = error as { partition?: number };
    const share = wanted.find((each) => each.partition === partition);
    try {
      if (share !== undefined) await this.#settings.outOfRange(share);
    } catch (failure) {
      this.#settings.runtime.log.debug(`Cannot find where '${this.#settings.topic}' begins now.`, { error: failure });
    }
    await this.#pause(SHORT_WAIT_MS);
  }

  /** Leaders may have moved to brokers without a loop. */
  async #lookAgain(): Promise<void> {
    const { leaders, link, runtime, topic } = this.#settings;
    try {
      await leaders.refresh(link);
      this.#start();
    } catch (error) {
      runtime.log.debug(`Cannot find the leaders of '${topic}' now.`, { error });
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await sleep(this.#settings.runtime.clock, delayMs, this.#end.signal).catch(() => {});
  }
}

/** kafkajs reads gzip by itself, and other compressions when it is given a codec. */
function explained(error: unknown, topic: string): unknown {
  if (classify(error).code !== 'UNSUPPORTED') return error;
  const message = `messages of '${topic}' are compressed in a way that kafkajs has no codec for (${messageOf(error)}); register one in CompressionCodecs of kafkajs, or have them sent with gzip or uncompressed`;
  return new KafkaFault('UNSUPPORTED', false, message, error);
}

function isFinal(error: unknown): boolean {
  const { code } = classify(error);
  return code === 'UNAUTHORISED' || code === 'UNSUPPORTED';
}
