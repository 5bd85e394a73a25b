import type { ConsumeMessage } from '../client.js';
import { identityOf } from '../codec.js';

/**
 * How far a channel has come through the part of a bucket that was there before its group: first the `past` queue up to its
 * `end` marker, then the live queue, without what the `past` queue has given already, up to the `live` marker. Both markers
 * stay unsettled until the `past` queue is deleted, so that another owner finds them where they were.
 */
export class PastProgress {
  #overlap: ReadonlySet<string> | undefined;
  #endTag: number | undefined;
  #liveTag: number | undefined;
  /** Records of the `past` queue that are not settled. */
  #open = 0;

  arrived(): void {
    this.#open += 1;
  }

  settled(): void {
    this.#open -= 1;
  }

  /** The `end` marker came. @param body lists the ids that may come again in the live queue */
  ended(tag: number, body: Buffer): void {
    this.#endTag = tag;
    this.#overlap = new Set(JSON.parse(body.toString()) as string[]);
  }

  /** The `live` marker came. */
  passed(tag: number): void {
    this.#liveTag = tag;
    this.#overlap = undefined;
  }

  /** A message of the live queue that the `past` queue gave already. */
  isDouble(message: ConsumeMessage): boolean {
    if (this.#overlap === undefined) return false;
    const id = identityOf(message);
    return id !== undefined && this.#overlap.has(id);
  }

  /** Everything is settled: the `past` queue can be deleted. */
  get complete(): boolean {
    return this.#endTag !== undefined && this.#liveTag !== undefined && this.#open === 0;
  }

  /** The markers' tags. */
  get tags(): readonly number[] {
    return [this.#endTag, this.#liveTag].filter((tag) => tag !== undefined);
  }
}
