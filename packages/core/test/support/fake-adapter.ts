import type {
  Adapter,
  AdapterRuntime,
  ConfiguredAdapter,
  GroupStanding,
  IncomingRecord,
  OutgoingRecord,
  Reader,
  ReaderSink,
  ReadRecord,
  Receiver,
  ReceiverSink,
  ReceiverSpec,
  Sender,
  TopicSpec,
  WriteResult,
} from '../../src/adapter/spi.js';
import { CAPABILITY_IDS, type Capabilities, type Capability, type CapabilityId } from '../../src/capabilities.js';

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
  readonly capabilities: Capabilities;
  limits = { writes: 1, records: 100, bytes: 10_000 };
  lanes = 1;
  runtime: AdapterRuntime | undefined;
  connects: (() => Promise<void>)[] = [];
  closed = 0;
  readonly writes: Write[] = [];
  readonly receivers: FakeReceiver[] = [];
  readonly readers: FakeReader[] = [];
  /** Names of topics that are there: those that were opened, and what a test adds. */
  readonly existing = new Set<string>();
  openReceiverError: Error | undefined;
  openSenderError: Error | undefined;
  readonly opened: TopicSpec[] = [];

  /** @param unsupported by default the rows for which core looks at the broker now and then: most tests want its silence */
  constructor(unsupported: readonly CapabilityId[] = ['release', 'dead-letters', 'delay']) {
    const row = (id: CapabilityId): Capability => ({
      level: unsupported.includes(id) ? 'unsupported' : 'emulated',
      note: 'as the test says',
    });
    this.capabilities = {
      rows: Object.fromEntries(CAPABILITY_IDS.map((id) => [id, row(id)])) as Capabilities['rows'],
      limits: {
        maxBodyBytes: 1_000,
        maxHeadersBytes: 100,
        takeoverMs: 0,
        maxHoldMs: 86_400_000,
        maxDelayMs: 604_800_000,
        delayToleranceMs: 1_000,
      },
    };
  }

  create(runtime: AdapterRuntime): Adapter {
    this.runtime = runtime;
    return this;
  }

  async connect(): Promise<void> {
    await this.connects.shift()?.();
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    if (this.openSenderError !== undefined) throw this.openSenderError;
    this.opened.push(topic);
    this.existing.add(topic.name);
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
    this.existing.add(spec.topic.name);
    const receiver = new FakeReceiver(spec, sink);
    this.receivers.push(receiver);
    return receiver;
  }

  async openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<FakeReader> {
    const reader = new FakeReader(topic, from, sink);
    this.readers.push(reader);
    this.existing.add(topic.name);
    return reader;
  }

  async exists(topic: TopicSpec): Promise<boolean> {
    return this.existing.has(topic.name);
  }

  async topics(): Promise<readonly string[]> {
    return [...this.existing];
  }

  async groups(topic: string): Promise<readonly GroupStanding[]> {
    const receivers = this.receivers.filter(({ spec }) => spec.topic.name === topic);
    return receivers.map(({ spec }) => ({ group: spec.group, members: 1, lag: 7 }));
  }

  classify(error: unknown): { code: 'UNAVAILABLE' | 'NOT_FOUND' | 'UNAUTHORISED'; retryable: boolean } {
    if (String(error).includes('refused')) return { code: 'UNAUTHORISED', retryable: false };
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
  byteCredits = 0;
  closed = 0;
  readonly settled: string[] = [];
  readonly held: [string, number][] = [];

  constructor(spec: ReceiverSpec, sink: ReceiverSink) {
    this.spec = spec;
    this.sink = sink;
  }

  credit(records: number, bytes: number): void {
    this.credits += records;
    this.byteCredits += bytes;
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
    for (const { body } of records) this.byteCredits -= body.length;
    this.sink.deliver(records);
  }
}

export class FakeReader implements Reader {
  readonly topic: TopicSpec;
  readonly from: 'earliest' | 'latest';
  readonly sink: ReaderSink;
  closed = 0;

  constructor(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink) {
    this.topic = topic;
    this.from = from;
    this.sink = sink;
  }

  read(...records: ReadRecord[]): Promise<void> {
    return this.sink.read(records);
  }

  async close(): Promise<void> {
    this.closed += 1;
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
