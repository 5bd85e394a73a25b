import type { Adapter, IncomingRecord, Receiver, ReceiverSink, ReceiverSpec, Source } from '@anymq/core/adapter';

export interface FakeSource extends Source {
  state: 'owned' | 'draining' | 'drained' | 'lost';
  finishDrain(): void;
}

/** Core's side of a receiver, as small as it can be: keeps what is delivered until the test settles it. */
export class FakeConsumer implements ReceiverSink {
  readonly name: string;
  readonly events: string[];
  readonly sources: FakeSource[] = [];
  waiting: IncomingRecord[] = [];
  receiver: Receiver | undefined;
  /** Drains end by themselves. */
  obliging = true;

  constructor(name: string, events: string[] = []) {
    this.name = name;
    this.events = events;
  }

  async join(adapter: Adapter, spec: ReceiverSpec, credit = spec.maxInFlight): Promise<this> {
    this.receiver = await adapter.openReceiver(spec, this);
    this.receiver.credit(credit, Number.POSITIVE_INFINITY);
    return this;
  }

  get owned(): string[] {
    return this.sources.filter(({ state }) => state === 'owned').map(({ name }) => name);
  }

  get ids(): string[] {
    return this.waiting.map(({ id }) => id);
  }

  own(name: string): FakeSource {
    const source = this.#source(name);
    this.sources.push(source);
    this.events.push(`${this.name} owns ${name}`);
    return source;
  }

  deliver(records: readonly IncomingRecord[]): void {
    for (const { id, position } of records) this.events.push(`${this.name} gets ${id} at ${position}`);
    this.waiting.push(...records);
  }

  failed(error: unknown): void {
    throw error;
  }

  /** Settles what waits and satisfies `which`, and gives the credit back. */
  settle(which: (record: IncomingRecord) => boolean = () => true): IncomingRecord[] {
    const records = this.waiting.filter(which);
    this.waiting = this.waiting.filter((record) => !records.includes(record));
    for (const { id } of records) this.events.push(`${this.name} settles ${id}`);
    this.receiver?.settle(records);
    this.receiver?.credit(records.length, Number.POSITIVE_INFINITY);
    return records;
  }

  /** As core closes: everything unsettled is dropped. */
  async close(): Promise<void> {
    this.events.push(`${this.name} leaves`);
    this.waiting = [];
    await this.receiver?.close();
  }

  #source(name: string): FakeSource {
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const source: FakeSource = {
      name,
      state: 'owned',
      drain: () => {
        if (source.state === 'owned') source.state = 'draining';
        if (this.obliging) source.finishDrain();
        return promise;
      },
      finishDrain: () => {
        if (source.state !== 'draining') return;
        source.state = 'drained';
        this.#drop(source);
        this.events.push(`${this.name} gives up ${name}`);
        resolve();
      },
      lost: () => {
        source.state = 'lost';
        this.events.push(`${this.name} lost ${name}`);
        this.#drop(source);
        resolve();
      },
    };
    return source;
  }

  #drop(source: Source): void {
    const dropped = this.waiting.filter((record) => record.source === source);
    this.waiting = this.waiting.filter((record) => record.source !== source);
    this.receiver?.credit(dropped.length, Number.POSITIVE_INFINITY);
  }
}
