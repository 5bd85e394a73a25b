import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Instance } from '../src/instance.js';
import { kafka } from '../src/kafka.js';
import type { Kind } from '../src/kind.js';
import { freePorts, isOpen } from '../src/ports.js';
import { isOurs, until } from '../src/process.js';
import { locked } from '../src/state.js';

const KAFKA_MODULE = new URL('../src/kafka.js', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'anymq-brokers-'));
process.env.ANYMQ_TEST_BROKERS_DIR = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A kind that needs nothing: its program is a sleeping Node. */
const sleeper = (answers: () => Promise<boolean>): Kind => ({
  ...kafka,
  title: 'Sleeper',
  requirements: async () => {},
  prepare: async () => {},
  warmUp: async () => true,
  answers,
  programs: (place) => [
    { name: 'broker', command: 'node', args: ['-e', 'setTimeout(() => {}, 60_000)', place.folder] },
  ],
});

describe('ports', () => {
  test('a port is open while somebody listens', async () => {
    const ports = await freePorts({ client: 0 });
    const port = ports.client ?? 0;
    expect(await isOpen(port)).toBe(false);
    const server = createServer().listen(port, '127.0.0.1');
    await until(() => isOpen(port), 5_000);
    expect(await isOpen(port)).toBe(true);
    server.close();
  });
});

describe('process', () => {
  test('a pid is ours only with our mark in its command line', async () => {
    const child = spawn('node', ['-e', 'setTimeout(() => {}, 60_000)', folder]);
    const pid = child.pid ?? 0;
    await until(async () => isOurs(pid, folder), 5_000);
    expect(isOurs(pid, folder)).toBe(true);
    expect(isOurs(pid, '/somewhere/else')).toBe(false);
    child.kill('SIGKILL');
    await until(async () => !isOurs(pid, folder), 5_000);
    expect(isOurs(pid, folder)).toBe(false);
  });
});

describe('lock', () => {
  test('one after another, and the lock of a process that is gone is nobody’s', async () => {
    writeFileSync(join(folder, 'x.lock'), '999999999');
    const order: string[] = [];
    const work = (name: string) =>
      locked('x', async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      });
    await Promise.all([work('a'), work('b')]);
    expect(order.map((line) => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
  });
});

describe('instance', () => {
  test('starts, is found by another instance of the same place, and ends', async () => {
    const place = { folder: join(folder, 'sleeper'), ports: {} };
    const instance = new Instance(
      sleeper(async () => true),
      place,
    );
    await instance.start();
    expect(
      new Instance(
        sleeper(async () => true),
        place,
      ).pids(),
    ).toEqual(instance.pids());
    expect(instance.pids()).toHaveLength(1);
    await instance.start();
    expect(instance.pids()).toHaveLength(1);
    await instance.stop();
    expect(instance.pids()).toEqual([]);
  });

  test('names a port that something else has', async () => {
    const ports = await freePorts({ client: 0 });
    const server = createServer().listen(ports.client, '127.0.0.1');
    await until(() => isOpen(ports.client ?? 0), 5_000);
    const instance = new Instance(
      sleeper(async () => false),
      { folder: join(folder, 'taken'), ports },
    );
    await expect(instance.start()).rejects.toThrow(
      `Sleeper cannot start: its client port ${ports.client} is in use by another process.`,
    );
    server.close();
  });

  test('a program that dies is one sentence with the end of its log', async () => {
    const dying: Kind = {
      ...sleeper(async () => false),
      programs: () => [
        { name: 'broker', command: 'node', args: ['-e', 'console.log("no space left"); process.exit(3)'] },
      ],
    };
    const instance = new Instance(dying, { folder: join(folder, 'dying'), ports: {} });
    await expect(instance.start()).rejects.toThrow(/Sleeper ended before it answered.*no space left/s);
  });

  test('says what it needs when there is no Java', async () => {
    // In a process of its own: a test's changes to process.env do not reach child processes.
    const script = `import(${JSON.stringify(KAFKA_MODULE)}).then(({ kafka }) => kafka.requirements()).catch((error) => console.log(error.message))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env: { PATH: folder } });
    expect(stdout.trim()).toBe("Kafka needs a JDK 17 or newer, and there is no 'java' on the PATH.");
  });
});
