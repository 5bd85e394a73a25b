import { createHash } from 'node:crypto';
import { createMessaging, type DeadLetter } from '@anymq/core';
import type { Adapter, ConfiguredAdapter, OutgoingRecord, Sender, TopicSpec } from '@anymq/core/adapter';
import { createMemoryBroker, type MemoryNative, memory, virtualClock } from '../../src/index.js';
import { FakeConsumer } from './fake-consumer.js';
import { processOn, receiverSpec, send } from './process.js';

const hash = (topic: string, group: string): string =>
  createHash('sha256').update(`${topic}\0${group}`).digest('hex').slice(0, 12);

const PLAIN = { envelope: 'lean', type: 'parcel', contentType: 'application/octet-stream' } as const;

/** The topic of a group's dead letters, spelt out: what stands on brokers must not change unnoticed. */
export const ledgerSpec = (topic: string, group: string): TopicSpec => ({
  ...PLAIN,
  name: `anymq.dead.${topic}.${group}.${hash(topic, group)}`,
  history: 'full',
  keyed: true,
  oneLane: true,
  retention: 'last-of-key',
});

export const inboxSpec = (topic: string, group: string): TopicSpec => ({
  ...PLAIN,
  name: `anymq.inbox.${topic}.${group}.${hash(topic, group)}`,
  history: 'none',
  keyed: false,
});

/** A letter as a subscription writes it. */
export function letterRecord(
  id: string,
  {
    code,
    cycles = 0,
    group = 'stock',
  }: { readonly code?: string; readonly cycles?: number; readonly group?: string } = {},
): OutgoingRecord {
  const note = { key: `key of ${id}`, type: 'orders', contentType: 'application/json', cycles };
  return {
    id: `dl-${id}`,
    key: `dl-${id}`,
    body: new Uint8Array([0, 255, 10, ...Buffer.from(id)]),
    headers: {
      tenant: 'ä',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'anymq-dead-letter-topic': 'orders',
      'anymq-dead-letter-group': group,
      'anymq-dead-letter-position': `0:${id}`,
      'anymq-dead-letter-id': id,
      'anymq-dead-letter-attempts': '3',
      'anymq-dead-letter-first-failed': '2026-01-01T00:00:01.000Z',
      'anymq-dead-letter-last-failed': '2026-01-01T00:00:02.500Z',
      ...(code === undefined ? {} : { 'anymq-dead-letter-code': code }),
      'anymq-dead-letter-error': 'TypeError',
      'anymq-dead-letter-message': 'no ö',
      'anymq-dead-letter-stack': '0123456789abcdef',
      'anymq-parcel': JSON.stringify(note),
    },
    time: 5,
    type: 'parcel',
    contentType: 'application/octet-stream',
  };
}

/** A member of the group on its inbox, with everything that is there. */
export const onInbox = (process: Adapter, group = 'stock'): Promise<FakeConsumer> =>
  new FakeConsumer('inbox').join(
    process,
    receiverSpec({
      topic: inboxSpec('orders', group),
      group,
      startFrom: 'latest',
      charter: 'startFrom=latest;keyed=false;history=none',
    }),
  );

/** An adapter whose writes to topics of this beginning go wrong as `fault` says, which is asked for each record. */
export function faulty<N>(
  configured: ConfiguredAdapter<N>,
  beginning: string,
  fault: (id: string) => 'none' | 'not-sent' | 'stored-but-unknown',
): ConfiguredAdapter<N> {
  const tamper = (sender: Sender): Sender => ({
    limits: { ...sender.limits, records: 1 },
    laneOf: (record) => sender.laneOf(record),
    close: () => sender.close(),
    write: async (lane, records) => {
      const what = fault(records[0]?.id ?? '');
      if (what === 'not-sent') return [{ status: 'not-sent', error: new Error('the disk is full') }];
      const results = await sender.write(lane, records);
      return what === 'none' ? results : [{ status: 'unknown', error: new Error('no answer') }];
    },
  });
  const create: ConfiguredAdapter<N>['create'] = (runtime) => {
    const adapter = configured.create(runtime);
    const open = adapter.openSender.bind(adapter);
    adapter.openSender = async (topic) => {
      const sender = await open(topic);
      return topic.name.startsWith(beginning) ? tamper(sender) : sender;
    };
    return adapter;
  };
  return { ...configured, create };
}

export const ledger = ledgerSpec('orders', 'stock');
export const names = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `m${String(i).padStart(4, '0')}`);

export type Tamper = (adapter: ConfiguredAdapter<MemoryNative>) => ConfiguredAdapter<MemoryNative>;

/** A broker with letters of these messages, and who looks at them. */
export async function world(ids: readonly string[] = [], tamper: Tamper = (adapter) => adapter) {
  const clock = virtualClock();
  const broker = createMemoryBroker({ clock });
  const process = await processOn(broker, clock);
  const write = (...records: Parameters<typeof send>[1]) => send(process, records, ledger);
  if (ids.length > 0) await write(...ids.map((id) => letterRecord(id)));
  const open = (adapter = memory({ broker }), random = 0.5) =>
    createMessaging({ brokers: { local: adapter }, clock, random: () => random, namespace: 'test' });
  const messaging = await open(tamper(memory({ broker })));
  const letters = messaging.deadLetters('orders', { group: 'stock' });
  const listed = () => idsOf(letters.list());
  return { clock, broker, process, write, open, messaging, letters, listed };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const idsOf = async (letters: AsyncIterable<DeadLetter>): Promise<string[]> =>
  (await all(letters)).map(({ messageId }) => messageId);
