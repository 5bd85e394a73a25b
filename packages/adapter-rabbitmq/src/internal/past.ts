import type { ConsumeMessage } from '../client.js';
import { identityOf } from '../codec.js';

/**
 * How far a bucket's owner has come through what was there before its group. The `gate` marker is first in the live queue and
 * says that there is a `past` queue, to be handled before anything behind it. The `end` marker is last in the `past` queue
 * and lists what the live queue has too; behind the `live` marker nothing of that list comes.
 *
 * All three markers stay unsettled until the `past` queue is deleted: whoever owns the bucket next finds them where they were.
 */
export class PastProgress {
  readonly #gateTag: number;
  #endTag: number | undefined;
  #liveTag: number | undefined;
  #overlap: ReadonlySet<string> | undefined;
  /** Records of the `past` queue that are not settled. */
  #open = 0;
  /** Live messages that came before the `end` marker. */
  #behind: ConsumeMessage[] = [];

  constructor(gateTag: number) {
    this.#gateTag = gateTag;
  }

  arrived(): void {
    this.#open += 1;
  }

  settled(): void {
    this.#open -= 1;
  }

  /** True when a live message has to wait. */
  keepBehind(message: ConsumeMessage): boolean {
    if (this.#endTag !== undefined) return false;
    this.#behind.push(message);
    return true;
  }

  /** The `end` marker came: what was kept behind may go on, in order. */
  ended({ fields, content }: ConsumeMessage): ConsumeMessage[] {
    this.#endTag = fields.deliveryTag;
    this.#overlap = new Set(JSON.parse(content.toString()) as string[]);
    return this.release();
  }

  /** Takes out what was kept behind. */
  release(): ConsumeMessage[] {
    const behind = this.#behind;
    this.#behind = [];
    return behind;
  }

  /** The `live` marker came. */
  passed(tag: number): void {
    this.#liveTag = tag;
    this.#overlap = undefined;
  }

  /** A live message that the `past` queue has given already. */
  isDouble(message: ConsumeMessage): boolean {
    if (this.#overlap === undefined) return false;
    const id = identityOf(message);
    return id !== undefined && this.#overlap.has(id);
  }

  /** Everything is settled: the `past` queue can be deleted. */
  get complete(): boolean {
    return this.#endTag !== undefined && this.#liveTag !== undefined && this.#open === 0;
  }

  /** Delivery tags of the markers that came. */
  get tags(): readonly number[] {
    return [this.#gateTag, this.#endTag, this.#liveTag].filter((tag) => tag !== undefined);
  }
}
