import type { Adapter, AdapterRuntime, Clock, OutgoingRecord, ReceiverSpec, TopicSpec } from '@anymq/core/adapter';
import {
  createMemoryBroker,
  type MemoryBroker,
  type MemoryBrokerOptions,
  memory,
  type VirtualClock,
  virtualClock,
} from '../../src/index.js';

const none = (): void => {};

export function runtimeOn(clock: Clock, namespace = 'test', warn: (message: string) => void = none): AdapterRuntime {
  const log = { debug: none, info: none, warn, error: none };
  const backoff = () => ({ next: () => 100 });
  return { broker: 'local', namespace, clock, random: () => 0.5, log, backoff, connection() {} };
}

/** A connected adapter, as one process has it. */
export async function processOn(
  broker: MemoryBroker,
  clock: Clock,
  namespace?: string,
  warn?: (message: string) => void,
): Promise<Adapter<MemoryBroker>> {
  const adapter = memory({ broker }).create(runtimeOn(clock, namespace, warn));
  await adapter.connect(new AbortController().signal);
  return adapter;
}

export function brokerOn(clock: Clock, options: MemoryBrokerOptions = {}): MemoryBroker {
  return createMemoryBroker({ clock, ...options });
}

export function topicSpec(spec: Partial<TopicSpec> = {}): TopicSpec {
  const defaults = { name: 'orders', keyed: true, history: 'full', envelope: 'lean', type: 'orders' } as const;
  return { ...defaults, contentType: 'application/json', ...spec };
}

export function receiverSpec(spec: Partial<ReceiverSpec> = {}): ReceiverSpec {
  return {
    topic: topicSpec(),
    group: 'g',
    startFrom: 'earliest',
    maxInFlight: 1_000,
    maxInFlightBytes: 1e9,
    charter: 'v1',
    ...spec,
  };
}

export function record(id: string, key?: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  const body = new Uint8Array([1, 2, 3]);
  return { id, key, body, headers: undefined, time: 5, type: 'orders', contentType: 'application/json', ...more };
}

/** Writes each record to its lane, one after the other, and expects every one to be stored. */
export async function send(
  adapter: Adapter,
  records: readonly OutgoingRecord[],
  topic = topicSpec(),
): Promise<string[]> {
  const sender = await adapter.openSender(topic);
  const positions: string[] = [];
  for (const record of records) {
    const [result] = await sender.write(sender.laneOf(record), [record]);
    if (result?.status !== 'stored') throw new Error(`not stored: ${JSON.stringify(result)}`);
    positions.push(result.position ?? '');
  }
  return positions;
}

/** A broker and one process, on one clock that stands still. */
export async function world(options: MemoryBrokerOptions = {}) {
  const clock = virtualClock();
  const broker = brokerOn(clock, options);
  const warnings: string[] = [];
  const process = await processOn(broker, clock, undefined, (message) => warnings.push(message));
  return { clock, broker, process, warnings };
}

/** Everything that can happen without time has happened. */
export const settled = (clock: VirtualClock): Promise<void> => clock.advanceAsync(0);

/** Records `m0`, `m1`... over 16 keys. */
export const keyed = (count: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => record(`m${i}`, `k${i % 16}`));
