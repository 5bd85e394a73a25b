import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { identityOf, isOurs, stillRuns } from '../src/identity.js';
import { locked } from '../src/lock.js';
import { freePorts, isOpen } from '../src/ports.js';
import { runCommand, until } from '../src/process.js';
import { newFolder, SLEEP } from './support/sleeper.js';

const folder = newFolder();
const children: ChildProcess[] = [];
const start = (...args: string[]): ChildProcess => {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  children.push(child);
  return child;
};
const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describe('ports', () => {
  test('a port is open while somebody listens', async () => {
    const { client = 0 } = await freePorts({ client: 0 });
    expect(await isOpen(client)).toBe(false);
    const server = createServer().listen(client, '127.0.0.1');
    expect(await until(() => isOpen(client), 5_000)).toBe(true);
    server.close();
  });

  test('free ports leave room for the port minus 2 on which RocketMQ listens, too', async () => {
    const ports = Object.values(await freePorts({ a: 0, b: 0, c: 0, d: 0, e: 0 })).sort((x, y) => x - y);
    expect(ports).toHaveLength(5);
    for (const [at, port] of ports.entries()) if (at > 0) expect(port - (ports[at - 1] ?? 0)).toBeGreaterThan(2);
  });
});

describe('identity', () => {
  test('a pid is ours only with our mark in its command line', async () => {
    const child = start('-e', SLEEP, folder);
    const pid = child.pid ?? 0;
    expect(isOurs(pid, folder)).toBe(true);
    expect(isOurs(pid, '/somewhere/else')).toBe(false);
    child.kill('SIGKILL');
    await ended(child);
    expect(isOurs(pid, folder)).toBe(false);
    for (const none of [0, -1, Number.NaN]) expect(isOurs(none, '')).toBe(false);
  });

  test('another process with the same pid is not the same process', () => {
    expect(stillRuns(identityOf(process.pid) ?? '')).toBe(true);
    for (const gone of [`${process.pid} 1`, `${process.pid}`, '999999999 1', '']) expect(stillRuns(gone)).toBe(false);
  });
});

describe('lock', () => {
  const LOCK = new URL('../src/lock.js', import.meta.url).href;

  test('many processes that find the lock of a dead one take it one after another', async () => {
    writeFileSync(join(folder, 'x.lock'), '999999999 1');
    const record = join(folder, 'record');
    const code = `
      const { locked } = await import(${JSON.stringify(LOCK)});
      const { appendFileSync } = await import('node:fs');
      for (let i = 0; i < 5; i++)
        await locked(${JSON.stringify(folder)}, 'x', async () => {
          appendFileSync(${JSON.stringify(record)}, 'begin\\n');
          await new Promise((resolve) => setTimeout(resolve, 5));
          appendFileSync(${JSON.stringify(record)}, 'end\\n');
        });`;
    await Promise.all(Array.from({ length: 4 }, () => ended(start('--input-type=module', '-e', code))));
    expect(readFileSync(record, 'utf8')).toBe('begin\nend\n'.repeat(20));
  }, 60_000);

  test('is given back when the work fails', async () => {
    await expect(locked(folder, 'y', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await locked(folder, 'y', async () => 'again')).toBe('again');
  });
});

describe('a command that fails', () => {
  test('is one sentence with its first error', async () => {
    const code = "console.log('[ERROR] no such jar\\n[ERROR] see the help page'); process.exit(1)";
    await expect(runCommand(process.execPath, ['-e', code])).rejects.toThrow(/failed: \[ERROR\] no such jar$/);
  });
});
