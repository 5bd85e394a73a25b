import type { Adapter, AdapterRuntime, Clock, OutgoingRecord, ReceiverSpec, TopicSpec } from '@anymq/core/adapter';
import { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions, memory } from '../../src/index.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function runtimeOn(clock: Clock, namespace = 'test'): AdapterRuntime {
  const backoff = () => ({ next: () => 100 });
  return { broker: 'local', namespace, clock, random: () => 0.5, log: silent, backoff, connection() {} };
}

/** A connected adapter, as one process has it. */
export async function processOn(
  broker: MemoryBroker,
  clock: Clock,
  namespace?: string,
): Promise<Adapter<MemoryBroker>> {
  const adapter = memory({ broker }).create(runtimeOn(clock, namespace));
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
  return { topic: topicSpec(), group: 'g', startFrom: 'earliest', maxInFlight: 1_000, charter: 'v1', ...spec };
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
