import type {
  Adapter,
  AdapterRuntime,
  ConfiguredAdapter,
  IncomingRecord,
  OutgoingRecord,
  Receiver,
  ReceiverSink,
  ReceiverSpec,
  Sender,
  WriteResult,
} from '../../src/adapter/spi.js';
import { CAPABILITY_IDS, type Capabilities } from '../../src/capabilities.js';

export interface Write {
  readonly lane: number;
  readonly records: readonly OutgoingRecord[];
  answer(...results: WriteResult[]): void;
  /** All stored. */
  store(): void;
}

/** An adapter whose broker is the test: writes wait for their answer, deliveries come from `deliver`. */
export class FakeAdapter implements Adapter, ConfiguredAdapter {
  readonly name = 'fake';
  readonly native = { fake: true };
  readonly address = 'fake://here';
  readonly capabilities: Capabilities = {
    rows: Object.fromEntries(CAPABILITY_IDS.map((id) => [id, { level: 'native', note: '' }])) as Capabilities['rows'],
    limits: { maxBodyBytes: 1_000, maxHeadersBytes: 100, takeoverMs: 0 },
  };
  limits = { writes: 1, records: 100, bytes: 10_000 };
  lanes = 1;
  runtime: AdapterRuntime | undefined;
  connects: (() => Promise<void>)[] = [];
  closed = 0;
  readonly writes: Write[] = [];
  readonly receivers: FakeReceiver[] = [];
  openReceiverError: Error | undefined;

  create(runtime: AdapterRuntime): Adapter {
    this.runtime = runtime;
    return this;
  }

  async connect(): Promise<void> {
    await this.connects.shift()?.();
  }

  async openSender(): Promise<Sender> {
    return {
      limits: this.limits,
      laneOf: (record) => (record.key === undefined ? 0 : record.key.charCodeAt(0) % this.lanes),
      write: (lane, records) =>
        new Promise((resolve) => {
          const answer = (...results: WriteResult[]): void => resolve(results);
          this.writes.push({
            lane,
            records,
            answer,
            store: () => answer(...records.map(() => ({ status: 'stored' as const, position: 'p' }))),
          });
        }),
      close: async () => {},
    };
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    if (this.openReceiverError !== undefined) throw this.openReceiverError;
    const receiver = new FakeReceiver(spec, sink);
    this.receivers.push(receiver);
    return receiver;
  }

  classify(error: unknown): { code: 'UNAVAILABLE' | 'NOT_FOUND'; retryable: boolean } {
    return String(error).includes('permanent')
      ? { code: 'NOT_FOUND', retryable: false }
      : { code: 'UNAVAILABLE', retryable: true };
  }

  async health(): Promise<{ ready: boolean }> {
    return { ready: true };
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

export class FakeReceiver implements Receiver {
  readonly spec: ReceiverSpec;
  readonly sink: ReceiverSink;
  credits = 0;
  closed = 0;
  readonly settled: string[] = [];
  readonly held: [string, number][] = [];

  constructor(spec: ReceiverSpec, sink: ReceiverSink) {
    this.spec = spec;
    this.sink = sink;
  }

  credit(records: number): void {
    this.credits += records;
  }

  settle(records: readonly IncomingRecord[]): void {
    this.settled.push(...records.map(({ id }) => id));
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.held.push([record.id, attempts]);
  }

  async lag(): Promise<number> {
    return 7;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  deliver(records: readonly IncomingRecord[]): void {
    this.credits -= records.length;
    this.sink.deliver(records);
  }
}

/** A received record with a JSON body. */
export function incoming(
  source: IncomingRecord['source'],
  id: string,
  value: unknown,
  rest: Partial<IncomingRecord> = {},
): IncomingRecord {
  const body = Buffer.from(JSON.stringify(value));
  return {
    source,
    id,
    body,
    position: id,
    key: undefined,
    headers: undefined,
    time: 1,
    type: undefined,
    contentType: undefined,
    attempts: 0,
    redelivered: false,
    ...rest,
  };
}
