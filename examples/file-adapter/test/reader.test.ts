import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Adapter,
  type AdapterRuntime,
  type OutgoingRecord,
  type ReaderSink,
  type ReadRecord,
  systemClock,
  type TopicSpec,
} from '@anymq/core/adapter';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { file, Store } from '../src/index.js';

const none = (): void => {};
const LINE: TopicSpec = {
  name: 'Line',
  keyed: true,
  history: 'full',
  envelope: 'lean',
  type: 't',
  contentType: 'text/plain',
  oneLane: true,
};
let folder: string;
let adapter: Adapter;

/** As in a process that has just started: nothing but the folder is left of the one before. */
async function start(): Promise<void> {
  const runtime: AdapterRuntime = {
    broker: 'main',
    namespace: 'test',
    clock: systemClock(),
    random: Math.random,
    log: { debug: none, info: none, warn: none, error: none },
    backoff: () => ({ next: () => 100 }),
    connection: none,
  };
  adapter = file(new Store(folder)).create(runtime);
  await adapter.connect(AbortSignal.timeout(5_000));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anymq-file-test-'));
  await start();
});
afterEach(async () => {
  await adapter.close();
  await rm(folder, { recursive: true, force: true });
});

async function send(from: number, to: number): Promise<void> {
  const sender = await adapter.openSender(LINE);
  const records = Array.from({ length: to - from }, (_, i): OutgoingRecord => {
    const common = { body: Buffer.from('x'), headers: undefined, time: 1, type: 't', contentType: 'text/plain' };
    return { id: `m${from + i}`, key: `k${i % 3}`, ...common };
  });
  for (const { status } of await sender.write(0, records)) expect(status).toBe('stored');
}

const idsOf = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

/** Keeps what is read, and lets wait for it. */
class Seen implements ReaderSink {
  readonly ids: string[] = [];
  readonly batches: number[] = [];
  #wanted = { count: 0, resolve: none };

  async read(records: readonly ReadRecord[]): Promise<void> {
    this.ids.push(...records.map(({ id }) => id));
    this.batches.push(records.length);
    if (this.ids.length >= this.#wanted.count) this.#wanted.resolve();
  }

  failed(error: unknown): void {
    throw error;
  }

  async until(count: number): Promise<readonly string[]> {
    if (this.ids.length < count) {
      await new Promise<void>((resolve) => {
        this.#wanted = { count, resolve };
      });
    }
    return this.ids;
  }
}

describe('a reader', () => {
  test('from the earliest reads what was kept across a restart, in batches, and then what comes', async () => {
    await send(0, 1_500);
    await adapter.close();
    await start();
    const seen = new Seen();
    const reader = await adapter.openReader(LINE, 'earliest', seen);
    expect(await seen.until(1_500)).toEqual(idsOf(0, 1_500));
    expect(seen.batches).toEqual([1_000, 500]);
    await send(1_500, 1_502);
    expect(await seen.until(1_502)).toEqual(idsOf(0, 1_502));
    await reader.close();
    await reader.close();
  });

  test('from the latest reads what is sent after it was open; a closed one reads nothing', async () => {
    await send(0, 3);
    const [seen, closed] = [new Seen(), new Seen()];
    const reader = await adapter.openReader(LINE, 'latest', seen);
    await (await adapter.openReader(LINE, 'earliest', closed)).close();
    await send(3, 5);
    expect(await seen.until(2)).toEqual(['m3', 'm4']);
    expect(closed.ids).toEqual([]);
    await reader.close();
  });
});

describe('what people ask', () => {
  test('a topic exists when somebody has made it, not when one died over it; asking makes none', async () => {
    const path = join(folder, 'test', '=line');
    await mkdir(path, { recursive: true });
    await appendFile(join(path, 'messages.jsonl'), '{"key');
    expect(await adapter.exists(LINE)).toBe(false);
    await expect(adapter.groups('Line')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await adapter.openSender(LINE);
    expect(await adapter.exists(LINE)).toBe(true);
    expect(await adapter.exists({ ...LINE, name: 'line' })).toBe(false);
    expect(await adapter.topics()).toEqual(['Line']);
  });

  test('groups stand as they did before a restart', async () => {
    await send(0, 3);
    const sink = { own: (name: string) => ({ name, drain: async () => {}, lost: none }), deliver: none, failed: none };
    const spec = { topic: LINE, startFrom: 'earliest', maxInFlight: 2, maxInFlightBytes: 100, charter: 'c' } as const;
    const receiver = await adapter.openReceiver({ ...spec, group: 'Mails' }, sink);
    const delivered = new Promise<void>((resolve) => Object.assign(sink, { deliver: () => resolve() }));
    receiver.credit(2, 100);
    await delivered;
    expect(await adapter.groups('Line')).toEqual([{ group: 'Mails', members: 1, lag: 3, inFlight: 2 }]);
    await receiver.close();
    await adapter.close();
    await start();
    expect(await adapter.groups('Line')).toEqual([{ group: 'Mails', members: 0, lag: 3, inFlight: 0 }]);
    await expect(adapter.openSender({ ...LINE, oneLane: false })).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
