import type { ReadRecord } from '@anymq/core/adapter';

/** Half of what a reader may have read ahead: the other half is asked for while this much waits. */
export const READ_AHEAD_BYTES = 512 * 1024;

/** What was read and waits to be handed over. */
export class ReadAhead {
  #waiting: ReadRecord[] = [];
  #bytes = 0;

  get hasRoom(): boolean {
    return this.#bytes < READ_AHEAD_BYTES;
  }

  add(records: readonly ReadRecord[]): void {
    for (const record of records) {
      this.#waiting.push(record);
      this.#bytes += sizeOf(record);
    }
  }

  /** All of it. */
  take(): readonly ReadRecord[] {
    const records = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return records;
  }
}

/** What a record keeps in memory, roughly. */
const sizeOf = ({ key, body }: ReadRecord): number => 200 + (key?.length ?? 0) + body.length;
