import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessaging, defineTopic, type Messaging } from '@anymq/core';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { file, Store } from '../src/index.js';

const topic = defineTopic('Numbers', { schema: z.number(), key: (n) => `key ${n % 2}` });
const MESSAGES = join('test', '=numbers', 'messages.jsonl');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anymq-file-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** As in a process that has just started: nothing but the folder is left of the one before. */
const start = (): Promise<Messaging> =>
  createMessaging({ namespace: 'test', brokers: { main: file(new Store(folder)) } });

/** What the group gets until it had `count`; of these `settle` are acknowledged, then the process ends. */
async function receive(count: number, settle = count): Promise<{ values: number[]; attempts: number[] }> {
  await using messaging = await start();
  const consumer = messaging.consumer({ group: 'g', drainTimeoutMs: 0 });
  const [values, attempts]: [number[], number[]] = [[], []];
  await new Promise<void>((resolve, reject) => {
    consumer.subscribe(
      topic,
      async ({ value, attempt }) => {
        values.push(value);
        attempts.push(attempt);
        if (values.length === count) setImmediate(resolve);
        if (values.length > settle) throw new Error('not settled');
      },
      { concurrency: 1 },
    );
    consumer.start().catch(reject);
  });
  await consumer.close();
  return { values, attempts };
}

async function send(...values: number[]): Promise<void> {
  await using messaging = await start();
  for (const value of values) await messaging.producer().send(topic, value);
}

describe('a store', () => {
  test('keeps messages, groups and attempts across a restart', async () => {
    await send(0, 2, 4);
    expect(await receive(2, 1)).toEqual({ values: [0, 2], attempts: [1, 1] });
    await send(6);
    expect(await receive(3)).toEqual({ values: [2, 4, 6], attempts: [2, 1, 1] });
  });

  test('drops a line that was being written when the process died, and goes on behind the ones before', async () => {
    await send(0);
    await appendFile(join(folder, MESSAGES), '{"id":"torn');
    await send(2);
    expect((await receive(2)).values).toEqual([0, 2]);
  });

  test('keeps what was confirmed to a process that is killed', async () => {
    const script = join(folder, 'killed.mjs');
    const [core, adapter] = [import.meta.resolve('@anymq/core'), new URL('../src/index.js', import.meta.url).href];
    await writeFile(
      script,
      `import { createMessaging, defineTopic } from '${core}';
       import { file, Store } from '${adapter}';
       const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
       const topic = defineTopic('Numbers', { schema, key: (n) => 'key ' + (n % 2) });
       const messaging = await createMessaging({ namespace: 'test', brokers: { main: file(new Store(${JSON.stringify(folder)})) } });
       for (let n = 0; n < 20; n++) await messaging.producer().send(topic, n);
       process.kill(process.pid, 'SIGKILL');`,
    );
    const child = spawn(process.execPath, [script], { stdio: 'inherit' });
    const signal = await new Promise((resolve) => child.on('exit', (_, name) => resolve(name)));
    expect(signal).toBe('SIGKILL');
    const { values } = await receive(20);
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('belongs to one process, which says who has it', async () => {
    await using messaging = await start();
    await messaging.connect();
    await using second = await start();
    await expect(second.connect()).rejects.toMatchObject({ code: 'CONFLICT', retryable: false });
    await messaging.close();
    await second.connect();
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(String(process.pid));
  });

  test('that stands in a process that died is free', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    await writeFile(join(folder, 'lock'), String(child.pid));
    await send(1);
  });
});
