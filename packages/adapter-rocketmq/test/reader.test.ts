import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Authority } from '@anymq/brokers';
import { type ReadRecord, systemClock } from '@anymq/core/adapter';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { TlsMaterial } from '../src/client.js';
import { RocketmqReader } from '../src/internal/reader.js';
import { FakeBroker } from './support/fake-broker.js';
import { testRuntime, until } from './support/runtime.js';

const RETRY_AT_ONCE = 20;
const NO_SUCH_TOPIC = 17;
const BUSY = 2;

/** A sink that keeps what it is given, and can be slow. */
class Page {
  readonly ids: string[] = [];
  readonly batches: number[] = [];
  failure: unknown;
  gate: Promise<void> = Promise.resolve();

  async read(records: readonly ReadRecord[]): Promise<void> {
    this.ids.push(...records.map(({ id }) => id));
    this.batches.push(records.length);
    await this.gate;
  }

  failed(error: unknown): void {
    this.failure = error;
  }
}

const open: { close(): unknown }[] = [];
let page: Page;

beforeEach(() => {
  page = new Page();
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function brokerWith(queues: number, makeServer?: Parameters<typeof FakeBroker.start>[1]): Promise<FakeBroker> {
  const broker = await FakeBroker.start(queues, makeServer);
  open.push(broker);
  return broker;
}

function readerOf(broker: FakeBroker, tls: false | TlsMaterial = false, sink = page): RocketmqReader {
  const runtime = testRuntime('n');
  const reader = new RocketmqReader(sink, {
    runtime,
    topic: 't',
    compacted: false,
    pulls: { clock: systemClock(), credentials: undefined, timeoutMs: 1_000, tls },
    queues: async () => [{ broker: 'a', address: broker.address, count: broker.queues.length }],
    closed: () => {},
  });
  open.push(reader);
  return reader;
}

const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

describe('a reader', () => {
  test('reads all that is kept, in the order of each queue, and then what comes', async () => {
    const broker = await brokerWith(3);
    for (const queue of [0, 1]) broker.append(queue, ...numbered(`q${queue}`, 100));
    await readerOf(broker).start('earliest');
    await until(() => page.ids.length === 200, 'what is kept');
    broker.append(2, 'new-0', 'new-1');
    await until(() => page.ids.length === 202, 'what came');
    for (const [prefix, count] of [
      ['q0', 100],
      ['q1', 100],
      ['new', 2],
    ] as const) {
      expect(page.ids.filter((id) => id.startsWith(prefix))).toEqual(numbered(prefix, count));
    }
    expect(Math.max(...page.batches)).toBe(32);
  });

  test('that begins at the end reads nothing older', async () => {
    const broker = await brokerWith(2);
    broker.append(0, 'old');
    await readerOf(broker).start('latest');
    broker.append(0, 'one');
    broker.append(1, 'two');
    await until(() => page.ids.length === 2, 'both');
    expect(page.ids.toSorted()).toEqual(['one', 'two']);
  });

  test('goes on where it stood after its connection was lost', async () => {
    const broker = await brokerWith(1);
    broker.append(0, ...numbered('m', 50));
    await readerOf(broker).start('earliest');
    await until(() => page.ids.length === 50, 'the first');
    for (const round of [1, 2, 3]) {
      broker.drop();
      broker.append(0, `again-${round}`);
      await until(() => page.ids.length === 50 + round, 'the next');
    }
    expect(page.ids).toEqual([...numbered('m', 50), 'again-1', 'again-2', 'again-3']);
    expect(page.failure).toBeUndefined();
  });

  test('skips what is not kept any more, and goes back to where a log that was cut ends', async () => {
    const broker = await brokerWith(1);
    broker.append(0, 'gone', 'kept');
    await readerOf(broker).start('earliest');
    await until(() => page.ids.length === 2, 'both');
    broker.queues[0] = { first: 10, messages: [] };
    broker.append(0, 'after a gap');
    await until(() => page.ids.length === 3, 'the one after the gap');
    broker.queues[0] = { first: 5, messages: [] };
    broker.append(0);
    await until(() => broker.queues[0]?.messages.length === 0 && broker.pulls > 6, 'that it has noticed');
    broker.append(0, 'after a cut');
    await until(() => page.ids.length === 4, 'the one after the cut');
    expect(page.ids).toEqual(['gone', 'kept', 'after a gap', 'after a cut']);
  });

  test('hands over no more while its sink is busy, and reads little ahead', async () => {
    const broker = await brokerWith(4);
    for (const queue of [0, 1, 2, 3])
      broker.append(queue, ...numbered(`q${queue}`, 40).map((id) => id.padEnd(60_000, '.')));
    let release = (): void => {};
    page.gate = new Promise((resolve) => {
      release = resolve;
    });
    await readerOf(broker).start('earliest');
    await until(() => page.ids.length > 0, 'the first batch');
    // The fake broker gives more at once than a real one: each queue can have asked once.
    const [asked, other] = [broker.pulls, new Page()];
    expect(asked).toBeLessThanOrEqual(4);
    await readerOf(broker, false, other).start('earliest');
    await until(() => other.ids.length === 160, 'all, by another one');
    expect([page.batches.length, page.ids.length]).toEqual([1, 32]);
    release();
    await until(() => page.ids.length === 160, 'all');
  });

  test('is patient with a broker that is busy, and does not ask without a pause', async () => {
    const broker = await brokerWith(1);
    broker.append(0, 'one');
    await readerOf(broker).start('earliest');
    await until(() => page.ids.length === 1, 'the first');
    broker.refusal = BUSY;
    broker.append(0, 'two');
    await until(() => broker.pulls > 5, 'some tries');
    broker.refusal = RETRY_AT_ONCE;
    const [before, began] = [broker.pulls, performance.now()];
    await until(() => broker.pulls >= before + 6, 'more tries');
    expect(performance.now() - began).toBeGreaterThan(300);
    broker.refusal = undefined;
    await until(() => page.ids.length === 2, 'the second');
    expect(page.failure).toBeUndefined();
  });

  test('says that it cannot go on when its topic is gone', async () => {
    const broker = await brokerWith(2);
    const reader = readerOf(broker);
    await reader.start('earliest');
    broker.refusal = NO_SUCH_TOPIC;
    broker.append(0, 'one');
    await until(() => page.failure !== undefined, 'the failure');
    expect(page.failure).toMatchObject({ remotingCode: NO_SUCH_TOPIC });
    await reader.close();
    await until(() => broker.sockets.size === 0, 'the end of its connection');
  });

  test('that is closed leaves no connection and hands nothing over any more', async () => {
    const broker = await brokerWith(2);
    const reader = readerOf(broker);
    await reader.start('latest');
    await until(() => broker.pulls >= 2, 'the polls');
    await reader.close();
    await reader.close();
    broker.append(0, 'late');
    await until(() => broker.sockets.size === 0, 'the end of its connection');
    expect(page.ids).toEqual([]);
  });

  test('that cannot begin says why, and leaves nothing', async () => {
    const broker = await brokerWith(1);
    const reader = readerOf(broker);
    broker.close();
    await expect(reader.start('earliest')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(page.failure).toBeUndefined();
  });
});

describe('with TLS', () => {
  const folder = join(tmpdir(), `anymq-reader-${randomUUID()}`);
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('bodies come over TLS, from whom the authority has signed, and not from others', async () => {
    const authority = await Authority.make(folder);
    const { cert, key } = await authority.sign('broker', 'IP:127.0.0.1');
    const pair = { cert: readFileSync(cert), key: readFileSync(key) };
    const broker = await brokerWith(1, ((serve: never) => createServer(pair, serve)) as never);
    broker.append(0, 'secret');
    const stranger = await Authority.make(join(folder, 'stranger'));
    await expect(readerOf(broker, { ca: readFileSync(stranger.ca, 'utf8') }).start('earliest')).rejects.toThrow(
      /certificate/,
    );
    await readerOf(broker, { ca: readFileSync(authority.ca, 'utf8') }).start('earliest');
    await until(() => page.ids.length === 1, 'the message');
  });
});
