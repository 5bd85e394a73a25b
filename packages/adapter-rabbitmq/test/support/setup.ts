import type { Adapter, OutgoingRecord, ReceiverSpec, Sender, TopicSpec } from '@anymq/core/adapter';
import type { RabbitmqNative, RabbitmqOptions } from '../../src/index.js';
import { rabbitmq } from '../../src/index.js';
import { record, type TestRuntime, testRuntime, URL } from './runtime.js';

export type TestAdapter = Adapter<RabbitmqNative> & { readonly runtime: TestRuntime };

/** A connected adapter: what one process of a service would have. */
export async function connected(namespace: string, options: RabbitmqOptions = {}): Promise<TestAdapter> {
  const runtime = testRuntime(namespace);
  const where = options.urls === undefined && options.url === undefined ? { url: URL } : {};
  const adapter = rabbitmq({ ...where, ...options }).create(runtime);
  await adapter.connect(AbortSignal.timeout(10_000));
  return Object.assign(adapter, { runtime });
}

export function groupSpec(topic: TopicSpec, group: string, changes: Partial<ReceiverSpec> = {}): ReceiverSpec {
  return {
    topic,
    group,
    startFrom: 'earliest',
    maxInFlight: 200,
    maxInFlightBytes: 1e9,
    charter: 'startFrom=earliest',
    ...changes,
  };
}

/** Writes `records` in batches, a few under way at once, as core would. Throws unless all are stored. */
export async function sendAll(sender: Sender, records: readonly OutgoingRecord[]): Promise<void> {
  const writes: Promise<void>[] = [];
  for (let from = 0; from < records.length; from += 50) {
    writes.push(write(sender, records.slice(from, from + 50)));
    if (writes.length >= 4) await writes.shift();
  }
  await Promise.all(writes);
}

async function write(sender: Sender, records: readonly OutgoingRecord[]): Promise<void> {
  for (const result of await sender.write(0, records)) {
    if (result.status !== 'stored') throw result.error;
  }
}

/** `count` records over `keys` keys; ids end in a number that counts up within a key. */
export function numbered(prefix: string, count: number, keys: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => record(`${prefix}-${i}`, `${prefix}-key${i % keys}`, `body ${i}`));
}
