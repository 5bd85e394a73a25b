import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { OutgoingRecord, ReadRecord } from '../src/adapter/spi.js';
import type { CapabilityId } from '../src/capabilities.js';
import { createMessaging, defineTopic } from '../src/index.js';
import { pack } from '../src/system/parcel.js';
import { inboxOf, ledgerOf } from '../src/system/topics.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter, type FakeReader } from './support/fake-adapter.js';

const ledger = ledgerOf('numbers', 'g');
const asRead = (record: OutgoingRecord): ReadRecord => ({ ...record, position: 'p' });
const letter = (id: string, headers?: Record<string, string>): ReadRecord => {
  const message = { id, body: Buffer.from(id), headers, time: 7 };
  return asRead(pack(ledger, message, { key: 'k', type: 't', contentType: 'c' }, id));
};

/** Dead letters on a fake broker that has their topic. @param lacks a row that the adapter declares `unsupported` */
async function world({ lacks, exists = true }: { lacks?: CapabilityId; exists?: boolean } = {}) {
  const adapter = new FakeAdapter();
  const unsupported = lacks === undefined ? {} : { [lacks]: { level: 'unsupported', note: '' } };
  const { capabilities } = adapter;
  Object.assign(adapter, { capabilities: { ...capabilities, rows: { ...capabilities.rows, ...unsupported } } });
  if (exists) adapter.existing.add(ledger.name);
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock, random: () => 1 });
  const numbers = defineTopic('numbers', { schema: z.number(), key: String });
  const letters = messaging.deadLetters(numbers, { group: 'g' });
  const reader = (): FakeReader => adapter.readers.at(-1) as FakeReader;
  /** Answers the marker's write; then the reader gets these, and the marker. */
  const read = async (...records: readonly ReadRecord[]): Promise<void> => {
    await settle();
    const marker = adapter.writes.at(-1)?.records[0] as OutgoingRecord;
    adapter.writes.at(-1)?.store();
    await reader().read(...records, asRead(marker));
    await settle();
  };
  const written = () => adapter.writes.map(({ records }) => records.map(({ id }) => id));
  return { adapter, clock, messaging, letters, reader, read, written };
}

describe('a reading of dead letters', () => {
  test('ends at a marker that it wrote itself, and closes its reader', async () => {
    const { adapter, letters, read, reader, clock } = await world();
    const got = letters.get('a');
    await settle();
    expect(reader()).toMatchObject({ topic: ledger, from: 'earliest', closed: 0 });
    const marker = adapter.writes[0]?.records[0];
    expect(marker).toMatchObject({ key: 'marker', body: new Uint8Array(0) });
    expect(Object.keys(marker?.headers ?? {})).toEqual(['anymq-marker']);
    await read(letter('a'), letter('b'));
    const facts = { code: undefined, error: undefined, message: undefined, stack: undefined };
    expect(await got).toEqual({
      ...{ id: 'a', messageId: 'a', topic: 'numbers', group: 'g', key: 'k', type: 't', contentType: 'c', time: 7 },
      ...{ headers: {}, body: new Uint8Array([97]), position: undefined, attempts: 0, cycles: 0, cause: facts },
      ...{ firstFailedAt: 7, lastFailedAt: 7 },
    });
    expect([reader().closed, clock.timers]).toEqual([1, 0]);
  });

  test('does not end at the marker of somebody else, or at an older one; sends another one when it gets nothing', async () => {
    const { adapter, letters, read, reader, clock, written } = await world();
    const first = letters.get('a');
    await read();
    await first;
    const old = adapter.writes[0]?.records[0] as OutgoingRecord;
    const second = letters.get('a');
    await settle();
    await reader().read(asRead(old), asRead({ ...old, id: 'other.9', headers: { 'anymq-marker': 'other' } }));
    adapter.writes.at(-1)?.store();
    await clock.advance(499);
    expect(written()).toHaveLength(2);
    await clock.advance(1);
    expect(written()).toHaveLength(3);
    await read(letter('a'));
    expect(await second).toMatchObject({ id: 'a' });
    expect(adapter.readers.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test('is TIMEOUT after 30 s without anything, counted from the last record', async () => {
    const { letters, reader, clock } = await world();
    let code: string | undefined;
    letters.get('a').catch((error) => {
      code = error.code;
    });
    await clock.advance(20_000);
    await reader().read(letter('a'));
    await clock.advance(9_000);
    expect([code, reader().closed]).toEqual([undefined, 0]);
    await clock.advance(21_000);
    expect([code === undefined, reader().closed, clock.timers]).toEqual([false, 1, 0]);
  });

  test('says what the reader died of', async () => {
    const { adapter, letters, reader, clock } = await world();
    const refused = expect(letters.stats({ by: 'code' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await settle();
    adapter.writes[0]?.store();
    await settle();
    reader().sink.failed(new Error('permanent'));
    await refused;
    expect([reader().closed, clock.timers]).toEqual([1, 0]);
  });

  test('says why its marker was not written', async () => {
    const { adapter, letters, reader } = await world();
    const refused = expect(letters.get('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await settle();
    adapter.writes[0]?.answer({ status: 'not-sent', error: new Error('permanent') });
    await refused;
    expect(reader().closed).toBe(1);
  });

  test('is TIMEOUT when nobody knows whether its marker was written', async () => {
    const { adapter, letters, reader, clock } = await world();
    const refused = expect(letters.get('a')).rejects.toMatchObject({ code: 'TIMEOUT' });
    await settle();
    adapter.writes[0]?.answer({ status: 'unknown', error: new Error('gone') });
    for (let second = 0; second < 31; second++) {
      await clock.advance(1_000);
      await reader().read(letter('b'));
    }
    await refused;
    expect(reader().closed).toBe(1);
  });

  test('ends with CLOSED, and the messaging closes after its reader', async () => {
    const { adapter, letters, messaging, reader, clock } = await world();
    const refused = expect(letters.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
    await settle();
    await messaging.close();
    await refused;
    expect([reader().closed, adapter.closed, clock.timers]).toEqual([1, 1, 0]);
  });

  test('gives up a reader that does not open in 30 s, and closes it when it does', async () => {
    const { adapter, letters, messaging, clock } = await world();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const openReader = adapter.openReader.bind(adapter);
    adapter.openReader = async (...args) => gate.then(() => openReader(...args));
    const refused = expect(letters.get('a')).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(30_000);
    await refused;
    const closing = messaging.close();
    await settle();
    expect(adapter.closed).toBe(0);
    open();
    await closing;
    expect(adapter.readers.map(({ closed }) => closed)).toEqual([1]);
  });

  test('asks for nothing but the topic where there is none', async () => {
    const { adapter, letters } = await world({ exists: false });
    expect(await letters.get('a')).toBeUndefined();
    expect([adapter.opened, adapter.readers, adapter.writes]).toEqual([[], [], []]);
  });
});

describe('a redrive', () => {
  test('has 64 letters in flight at most, and each is removed when it is stored', async () => {
    const { adapter, letters, read, written } = await world({ lacks: 'no-history' });
    adapter.limits = { writes: 100, records: 1, bytes: 10_000 };
    const ids = Array.from({ length: 70 }, (_, i) => `m${i}`);
    const report = letters.redrive({});
    await read(...ids.map((id) => letter(id)));
    expect(written().slice(1).flat()).toEqual(ids.slice(0, 64));
    expect(adapter.receivers).toEqual([]);
    adapter.writes[1]?.store();
    await settle();
    const removal = adapter.writes.at(-1)?.records[0];
    expect(removal).toMatchObject({ id: 'm0', key: 'm0', body: new Uint8Array(0) });
    expect(removal?.headers).toMatchObject({ 'anymq-removed': '1' });
    expect(written()).toHaveLength(1 + 64 + 1);
    adapter.writes.at(-1)?.store();
    await settle();
    expect(written().at(-1)).toEqual(['m64']);
    for (let i = 2; i < adapter.writes.length; i++) {
      adapter.writes[i]?.store();
      await settle();
    }
    expect(await report).toEqual({ selected: 70, redriven: 70, exhausted: 0 });
  });

  test('makes the group first where nothing is kept for groups to come', async () => {
    const { adapter, letters, read, messaging } = await world();
    const report = letters.redrive({}, { to: { group: 'other' } });
    await read(letter('a'));
    const [receiver] = adapter.receivers;
    expect(receiver?.spec).toEqual({
      topic: inboxOf('numbers', 'other', 'none'),
      group: 'other',
      startFrom: 'latest',
      maxInFlight: 1,
      maxInFlightBytes: 1024 * 1024,
      ephemeral: false,
      charter: 'startFrom=latest;keyed=false;history=none',
    });
    expect([receiver?.credits, receiver?.closed]).toEqual([0, 1]);
    expect(adapter.opened.at(-1)?.name).toBe(inboxOf('numbers', 'other', 'none').name);
    const refused = expect(report).rejects.toMatchObject({ code: 'CLOSED' });
    await messaging.close();
    await refused;
  });

  test('sends nothing when the group cannot be made', async () => {
    const { adapter, letters, read, written } = await world();
    adapter.openReceiverError = new Error('permanent');
    const refused = expect(letters.redrive({})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await read(letter('a'));
    await refused;
    expect(written()).toHaveLength(1);
  });
});

describe('an import', () => {
  test('ends when its messaging closes, whatever its lines do', async () => {
    const { letters, messaging } = await world();
    const never: AsyncIterable<string> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const refused = expect(letters.import(never)).rejects.toMatchObject({ code: 'CLOSED' });
    await settle();
    await messaging.close();
    await refused;
  });

  test('refuses what the broker does not take', async () => {
    const { letters, read, adapter } = await world();
    const exporting = letters.export()[Symbol.asyncIterator]().next();
    await read(letter('a'));
    const { value: line } = await exporting;
    const large = JSON.stringify({ ...JSON.parse(line), body: Buffer.alloc(1_001).toString('base64') });
    await expect(letters.import([large])).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(adapter.writes).toHaveLength(1);
  });
});
