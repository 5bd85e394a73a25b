import { randomUUID } from 'node:crypto';
import {
  type Adapter,
  type AdapterRuntime,
  type IncomingRecord,
  type OutgoingRecord,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Source,
  systemClock,
  type TopicSpec,
  type WriteResult,
} from '@anymq/core/adapter';
import { Kafka, logLevel } from 'kafkajs';
import { type KafkaNative, type KafkaOptions, kafka } from '../../src/index.js';

export const BROKER = process.env.ANYMQ_TEST_KAFKA ?? '127.0.0.1:9092';

export const unique = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`;

export interface Observed {
  readonly runtime: AdapterRuntime;
  readonly connections: string[];
  readonly warnings: string[];
}

/** A runtime as core gives one, with the real clock, that keeps what it was told. */
export function observedRuntime(namespace = unique('ns')): Observed {
  const connections: string[] = [];
  const warnings: string[] = [];
  const nothing = (): void => {};
  const trace = process.env.ANYMQ_TEST_TRACE === undefined ? nothing : console.error;
  const runtime: AdapterRuntime = {
    broker: 'test',
    namespace,
    clock: systemClock(),
    random: Math.random,
    log: { debug: trace, info: trace, warn: (message) => warnings.push(message), error: trace },
    backoff: () => {
      let wait = 25;
      return {
        next: () => {
          wait = Math.min(wait * 2, 1_000);
          return wait;
        },
      };
    },
    connection: (state) => connections.push(state),
  };
  return { runtime, connections, warnings };
}

export async function connect(
  options: Partial<KafkaOptions> = {},
  observed = observedRuntime(),
): Promise<Adapter<KafkaNative>> {
  const adapter = kafka({ brokers: [BROKER], ...options }).create(observed.runtime);
  await adapter.connect(new AbortController().signal);
  return adapter;
}

export function topicSpec(overrides: Partial<TopicSpec> = {}): TopicSpec {
  const name = overrides.name ?? unique('t');
  return {
    keyed: true,
    history: 'full',
    envelope: 'lean',
    type: name,
    contentType: 'application/octet-stream',
    ...overrides,
    name,
  };
}

export function outgoing(topic: TopicSpec, overrides: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return {
    id: randomUUID(),
    key: topic.keyed ? 'k' : undefined,
    body: Buffer.from('body'),
    headers: undefined,
    time: Date.now(),
    type: topic.type,
    contentType: topic.contentType,
    ...overrides,
  };
}

/** Sends as core does: by lane, one write of a lane at a time, in order. */
export async function send(
  adapter: Adapter<KafkaNative>,
  topic: TopicSpec,
  records: readonly OutgoingRecord[],
): Promise<readonly WriteResult[]> {
  const sender = await adapter.openSender(topic);
  const lanes = new Map<number, OutgoingRecord[]>();
  for (const record of records) {
    const lane = sender.laneOf(record);
    lanes.set(lane, [...(lanes.get(lane) ?? []), record]);
  }
  const results = new Map<OutgoingRecord, WriteResult>();
  await Promise.all(
    [...lanes].map(async ([lane, queue]) => {
      for (let i = 0; i < queue.length; i += sender.limits.records) {
        const batch = queue.slice(i, i + sender.limits.records);
        const answers = await sender.write(lane, batch);
        for (const [j, record] of batch.entries()) results.set(record, answers[j] as WriteResult);
      }
    }),
  );
  await sender.close();
  return records.map((record) => results.get(record) as WriteResult);
}

/** Resolves when `condition` holds, looking at every event; rejects with `what` at the deadline. */
export class Events {
  #waiting = new Set<() => void>();

  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  until(condition: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!condition()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${deadlineMs} ms: ${what}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }
}

/** Polls what has no events, until a deadline. */
export async function eventually(condition: () => Promise<boolean>, what: string, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

interface FakeSource extends Source {
  stage: 'owned' | 'draining' | 'over';
  readonly running: Set<Promise<void>>;
}

export type Handle = (record: IncomingRecord, consumer: FakeConsumer) => void | Promise<void>;

/** Core's side of a receiver: one handler call after another for each source and key, drains as the contract says. */
export class FakeConsumer implements ReceiverSink {
  readonly records: IncomingRecord[] = [];
  readonly sources: FakeSource[] = [];
  readonly failures: unknown[] = [];
  readonly events: Events;
  receiver: Receiver | undefined;
  #inFlight = 0;
  maxInFlight = 0;
  readonly #handle: Handle;
  readonly #lanes = new Map<string, Promise<void>>();

  constructor(handle: Handle, events = new Events()) {
    this.#handle = handle;
    this.events = events;
  }

  async open(
    adapter: Adapter<KafkaNative>,
    spec: Partial<ReceiverSpec> & Pick<ReceiverSpec, 'topic' | 'group'>,
    credit = 1_000,
  ): Promise<this> {
    const full: ReceiverSpec = {
      startFrom: 'earliest',
      maxInFlight: credit,
      maxInFlightBytes: 1e9,
      charter: 'c=1',
      ...spec,
    };
    this.receiver = await adapter.openReceiver(full, this);
    this.receiver.credit(credit, Number.POSITIVE_INFINITY);
    return this;
  }

  own(name: string): Source {
    const running = new Set<Promise<void>>();
    const source: FakeSource = {
      name,
      stage: 'owned',
      running,
      drain: async () => {
        source.stage = 'draining';
        await Promise.all(running);
        source.stage = 'over';
        this.events.changed();
      },
      lost: () => {
        source.stage = 'over';
        this.events.changed();
      },
    };
    this.sources.push(source);
    this.events.changed();
    return source;
  }

  deliver(records: readonly IncomingRecord[]): void {
    this.#inFlight += records.length;
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight);
    for (const record of records) this.#enqueue(record);
  }

  failed(error: unknown): void {
    this.failures.push(error);
    this.events.changed();
  }

  #enqueue(record: IncomingRecord): void {
    const lane = `${record.key}`;
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const run = before.then(() => this.#run(record));
    this.#lanes.set(lane, run);
  }

  async #run(record: IncomingRecord): Promise<void> {
    const source = record.source as FakeSource;
    if (source.stage === 'owned') {
      const call = Promise.resolve(this.#handle(record, this));
      const done = call.then(() => {
        source.running.delete(done);
      });
      source.running.add(done);
      await done;
      this.records.push(record);
      this.events.changed();
    }
    this.#inFlight -= 1;
    this.receiver?.credit(1, Number.POSITIVE_INFINITY);
  }

  settle(record: IncomingRecord): void {
    if ((record.source as FakeSource).stage !== 'over') this.receiver?.settle([record]);
  }

  async close(): Promise<void> {
    for (const source of this.sources) if (source.stage === 'owned') source.stage = 'draining';
    await Promise.all(this.sources.flatMap((source) => [...source.running]));
    await this.receiver?.close();
    for (const source of this.sources) source.stage = 'over';
  }
}

export const settling: Handle = (record, consumer) => consumer.settle(record);

export function plainKafka(brokers: readonly string[] = [BROKER]): Kafka {
  return new Kafka({
    clientId: 'plain',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100 },
  });
}
