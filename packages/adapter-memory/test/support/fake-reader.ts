import type { Adapter, Reader, ReaderSink, ReadRecord, TopicSpec } from '@anymq/core/adapter';

/** Core's side of a reader: keeps what it read. */
export class FakeReader implements ReaderSink {
  readonly records: ReadRecord[] = [];
  /** Sizes of the batches. */
  readonly batches: number[] = [];
  reader: Reader | undefined;
  #gate = Promise.resolve();

  async open(adapter: Adapter, topic: TopicSpec, from: 'earliest' | 'latest' = 'earliest'): Promise<this> {
    this.reader = await adapter.openReader(topic, from, this);
    return this;
  }

  get ids(): string[] {
    return this.records.map(({ id }) => id);
  }

  read(records: readonly ReadRecord[]): Promise<void> {
    this.records.push(...records);
    this.batches.push(records.length);
    return this.#gate;
  }

  failed(error: unknown): void {
    throw error;
  }

  /** Reads that come from now on last until the returned function is called. */
  pause(): () => void {
    let resume = (): void => {};
    this.#gate = new Promise((resolve) => {
      resume = resolve;
    });
    return () => {
      this.#gate = Promise.resolve();
      resume();
    };
  }
}
