import type { Clock, Timer, WriteResult } from '@anymq/core/adapter';
import type { ConfirmChannel } from '../client.js';
import { certainlyNotStored, fault } from '../errors.js';

/** What is to be published: `count` messages, each by one call of `publish` on the channel. */
export interface Outgoing {
  readonly count: number;
  /** Publishes one; the answer is the channel's (`false`: its buffer is full). */
  publish(channel: ConfirmChannel, index: number): boolean;
  idOf(index: number): string;
}

interface Batch {
  readonly outgoing: Outgoing;
  readonly resolve: (results: readonly WriteResult[]) => void;
  readonly results: (WriteResult | undefined)[];
  /** Delivery tags of what was published, `first` to `last`, in order. */
  first: number;
  last: number;
  /** Without a result yet. */
  open: number;
  deadline: number;
  /** Indexes that the library refused to encode: they have no tag. */
  refused: number[] | undefined;
}

export interface ConfirmSettings {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The result of a message that no queue got. */
  readonly unroutable: (id: string) => WriteResult;
}

const STORED: WriteResult = Object.freeze({ status: 'stored' });

/**
 * Publishes batches on one confirm channel and says what became of each message. Nothing is allocated per message, and one
 * timer watches over all: a channel that leaves a batch unconfirmed for `timeoutMs` is over.
 */
export class Confirms {
  readonly #channel: ConfirmChannel;
  readonly #settings: ConfirmSettings;
  /** Published and not fully confirmed, in order. */
  readonly #batches: Batch[] = [];
  /** Waiting for the channel's buffer. */
  #waiting: Batch[] = [];
  /** Tags below it have a result. */
  #low = 1;
  #next = 1;
  #full = false;
  #confirmed = false;
  #returned: Map<string, number> | undefined;
  #timer: Timer | undefined;
  #lastError: unknown;
  #ended = false;
  #end: (error: unknown) => void = () => {};
  /** Resolves, with the reason, when the channel can be used no more. All batches have their results by then. */
  readonly over: Promise<unknown>;

  constructor(channel: ConfirmChannel, settings: ConfirmSettings) {
    this.#channel = channel;
    this.#settings = settings;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    channel.on('ack', ({ deliveryTag, multiple }) => this.#answered(deliveryTag, multiple, STORED));
    channel.on('nack', ({ deliveryTag, multiple }) => this.#answered(deliveryTag, multiple, NACKED()));
    channel.on('return', (message) => this.#cameBack(String(message.properties.messageId)));
    channel.on('drain', () => this.#drained());
    channel.on('error', (error) => {
      this.#lastError = error;
    });
    channel.on('close', () => this.#stop(this.#lastError ?? fault('UNAVAILABLE', 'The channel to RabbitMQ closed.')));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Never rejects. Results are in the order of the messages. */
  write(outgoing: Outgoing): Promise<readonly WriteResult[]> {
    return new Promise((resolve) => {
      const results = new Array<WriteResult | undefined>(outgoing.count).fill(undefined);
      const batch: Batch = {
        outgoing,
        resolve,
        results,
        first: 0,
        last: -1,
        open: outgoing.count,
        deadline: 0,
        refused: undefined,
      };
      if (this.#ended) this.#refuse(batch, this.#lastError);
      else if (this.#full || this.#waiting.length > 0) this.#waiting.push(batch);
      else this.#publish(batch);
    });
  }

  /** The channel is not used any more: what is not confirmed stays unknown. */
  stop(error: unknown): void {
    this.#stop(error);
  }

  #publish(batch: Batch): void {
    const { outgoing } = batch;
    batch.first = this.#next;
    for (let index = 0; index < outgoing.count; index += 1) {
      try {
        if (!outgoing.publish(this.#channel, index)) this.#full = true;
        this.#next += 1;
      } catch (error) {
        batch.refused = [...(batch.refused ?? []), index];
        batch.results[index] = { status: 'not-sent', error };
        batch.open -= 1;
      }
    }
    batch.last = this.#next - 1;
    batch.deadline = this.#settings.clock.monotonic() + this.#settings.timeoutMs;
    if (batch.open === 0) {
      this.#complete(batch);
      return;
    }
    this.#batches.push(batch);
    this.#timer ??= this.#watch();
  }

  #drained(): void {
    this.#full = false;
    while (!this.#full && !this.#ended) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      this.#publish(batch);
    }
  }

  #answered(tag: number, multiple: boolean, result: WriteResult): void {
    if (this.#ended) return;
    this.#confirmed ||= result === STORED;
    for (let each = multiple ? this.#low : tag; each <= tag; each += 1) this.#settle(each, result);
    if (multiple) this.#low = tag + 1;
  }

  #settle(tag: number, result: WriteResult): void {
    // At most as many as writes are under way, and nearly always the first.
    const at = this.#batches.findIndex(({ last }) => tag <= last);
    const batch = this.#batches[at];
    if (batch === undefined || tag < batch.first) return;
    const index = indexOf(batch, tag);
    if (batch.results[index] !== undefined) return;
    batch.results[index] = result;
    batch.open -= 1;
    if (batch.open > 0) return;
    this.#batches.splice(at, 1);
    this.#complete(batch);
  }

  /** Comes before the confirmation of the same message. */
  #cameBack(id: string): void {
    this.#returned ??= new Map();
    this.#returned.set(id, (this.#returned.get(id) ?? 0) + 1);
  }

  #complete(batch: Batch): void {
    if (this.#returned !== undefined) this.#markReturned(batch, this.#returned);
    batch.resolve(batch.results as WriteResult[]);
  }

  #markReturned({ outgoing, results }: Batch, returned: Map<string, number>): void {
    for (let index = 0; index < outgoing.count; index += 1) {
      const id = outgoing.idOf(index);
      const count = returned.get(id);
      if (count === undefined || results[index] !== STORED) continue;
      results[index] = this.#settings.unroutable(id);
      if (count > 1) returned.set(id, count - 1);
      else returned.delete(id);
    }
    if (returned.size === 0) this.#returned = undefined;
  }

  /** Armed while something is unconfirmed, for the oldest deadline. */
  #watch(): Timer | undefined {
    const oldest = this.#batches[0];
    if (oldest === undefined) return undefined;
    const { clock, timeoutMs } = this.#settings;
    return clock.setTimer(Math.max(1, oldest.deadline - clock.monotonic()), () => {
      this.#timer = undefined;
      const late = this.#batches[0];
      if (late !== undefined && late.deadline <= clock.monotonic()) {
        this.#stop(fault('TIMEOUT', `RabbitMQ has not confirmed a write within ${timeoutMs} ms.`));
      } else this.#timer = this.#watch();
    });
  }

  #stop(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lastError = error;
    this.#timer?.cancel();
    const status = certainlyNotStored(error, this.#confirmed) ? 'not-sent' : 'unknown';
    for (const batch of this.#batches.splice(0)) {
      batch.results.forEach((result, index) => {
        batch.results[index] = result ?? { status, error };
      });
      this.#complete(batch);
    }
    for (const batch of this.#waiting.splice(0)) this.#refuse(batch, error);
    this.#end(error);
  }

  #refuse(batch: Batch, error: unknown): void {
    batch.resolve(batch.results.map(() => ({ status: 'not-sent', error })));
  }
}

/** Rejects with the first message that was not stored. */
export async function stored(writing: Promise<readonly WriteResult[]>): Promise<void> {
  for (const result of await writing) if (result.status !== 'stored') throw result.error;
}

/** One queue refused it, for instance while it elects its leader, or because it is full: others may have stored it. */
const NACKED = (): WriteResult => ({
  status: 'unknown',
  error: fault(
    'UNAVAILABLE',
    'RabbitMQ did not confirm the message (nack): a queue cannot take it now, others may have it.',
  ),
});

function indexOf({ first, refused }: Batch, tag: number): number {
  let index = tag - first;
  for (const hole of refused ?? []) if (hole <= index) index += 1;
  return index;
}
