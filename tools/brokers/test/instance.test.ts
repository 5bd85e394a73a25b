import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { identityOf } from '../src/identity.js';
import { Instance } from '../src/instance.js';
import { kafka } from '../src/kafka.js';
import { freePorts, isOpen } from '../src/ports.js';
import { startPrivate, stopPrivate } from '../src/private.js';
import { isAlive, until } from '../src/process.js';
import { newFolder, nodeProgram, placeOf, SLEEP, sleeper } from './support/sleeper.js';

const folder = newFolder();
const started: Instance[] = [];
afterAll(async () => {
  for (const instance of started) await instance.kill();
  rmSync(folder, { recursive: true, force: true });
});

function newInstance(name: string, kind = sleeper(), ports = {}): Instance {
  const instance = new Instance(kind, placeOf(join(folder, name), ports));
  mkdirSync(instance.place.folder, { recursive: true });
  started.push(instance);
  return instance;
}

describe('start and stop', () => {
  test('starts once, is found by another process, and ends', async () => {
    const instance = newInstance('twice');
    await instance.start();
    const [pid = 0] = instance.pids();
    expect(new Instance(sleeper(), instance.place).pids()).toEqual([pid]);
    await instance.start();
    expect(instance.pids()).toEqual([pid]);
    await instance.stop();
    expect(instance.pids()).toEqual([]);
    expect(await until(() => !isAlive(pid), 5_000)).toBe(true);
  });

  test('stops what is suspended', async () => {
    const instance = newInstance('suspended');
    await instance.start();
    instance.signal('SIGSTOP');
    await instance.stop();
    expect(instance.pids()).toEqual([]);
  });

  test('leaves a stranger alone whose pid stands in an old pid file', async () => {
    const stranger = spawn(process.execPath, ['-e', SLEEP]);
    const instance = newInstance('stale');
    writeFileSync(join(instance.place.folder, 'broker.pid'), String(stranger.pid));
    await instance.stop();
    await instance.start();
    expect(instance.pids()).not.toContain(stranger.pid);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
    stranger.kill('SIGKILL');
  });

  test('keeps the log of the start before apart', async () => {
    const kind = sleeper({ programs: (place) => [nodeProgram(place, `console.log(process.pid); ${SLEEP}`)] });
    const instance = newInstance('logs', kind);
    const log = join(instance.place.folder, 'out', 'broker.log');
    const written = (pid: number) => until(() => existsSync(log) && readFileSync(log, 'utf8') === `${pid}\n`, 5_000);
    for (let i = 0; i < 2; i++) {
      await instance.start();
      expect(await written(instance.pids()[0] ?? 0)).toBe(true);
      await instance.stop();
    }
    expect(instance.logs()).toEqual([log]);
  });
});

describe('faults', () => {
  test('names a port that something else has', async () => {
    const ports = await freePorts({ client: 0 });
    const server = createServer().listen(ports.client, '127.0.0.1');
    await until(() => isOpen(ports.client ?? 0), 5_000);
    await expect(newInstance('taken', sleeper(), ports).start()).rejects.toThrow(
      `Sleeper cannot start: its client port ${ports.client} is in use by another process, and no Sleeper answers there.`,
    );
    server.close();
  });

  test('a program that dies is one sentence with the end of its log', async () => {
    const kind = sleeper({
      answers: async () => false,
      programs: (place) => [nodeProgram(place, 'console.log("no space left"); process.exit(3)')],
    });
    const instance = newInstance('dying', kind);
    await expect(instance.start()).rejects.toThrow(
      `Sleeper ended before it answered. The last lines of ${instance.place.folder}/out/broker.log:\nno space left`,
    );
  });

  test('a program that is not there is one sentence', async () => {
    const kind = sleeper({
      answers: async () => false,
      programs: () => [{ name: 'broker', command: '/no/such/program', args: [] }],
    });
    await expect(newInstance('absent', kind).start()).rejects.toThrow(
      /ended before .*There is no program '\/no\/such\/program'/s,
    );
  });
});

describe('what Kafka needs', () => {
  // In a process of its own: a test's changes to process.env do not reach child processes.
  async function requirements(java?: string): Promise<string> {
    const bin = join(folder, 'bin');
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    if (java !== undefined) {
      writeFileSync(join(bin, 'java'), `#!/bin/sh\necho 'openjdk version "${java}"'\n`);
      chmodSync(join(bin, 'java'), 0o755);
    }
    const module = JSON.stringify(new URL('../src/kafka.js', import.meta.url).href);
    const place = JSON.stringify(placeOf(folder));
    const code = `import(${module}).then(({ kafka }) => kafka.requirements(${place})).catch((error) => console.log(error.name, error.message))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', code], { env: { PATH: bin } });
    return stdout.trim();
  }

  test('says that there is no Java, or an old one', async () => {
    const needs = 'MissingTool Kafka needs a JDK 17 or newer, and';
    expect(await requirements()).toBe(`${needs} there is no 'java' on the PATH that runs.`);
    expect(await requirements('11.0.2')).toBe(`${needs} 'java' on the PATH is version 11.`);
    expect(await requirements('1.8.0_402')).toBe(`${needs} 'java' on the PATH is version 8.`);
  });

  test('says that there is no Maven, but only when the jars have to be downloaded', async () => {
    expect(await requirements('17.0.1')).toMatch(/^MissingTool Kafka's jars are not here yet, .* no 'mvn' on the PATH/);
  });
});

describe('private brokers', () => {
  test('what an owner left behind is ended and deleted; what is in use is not', async () => {
    const place = (name: string, owner: string) => {
      const instance = newInstance(join('private', name), { ...sleeper(), processes: kafka.processes });
      writeFileSync(join(instance.place.folder, 'owner'), owner);
      return instance;
    };
    const left = place('kafka-0000left', '999999999 1');
    const used = place('kafka-0000used', identityOf(process.pid) ?? '');
    for (const instance of [left, used]) await instance.start();
    expect(await stopPrivate({ dir: folder })).toEqual({ stopped: ['kafka-0000left'], inUse: ['kafka-0000used'] });
    expect([left.pids().length, used.pids().length]).toEqual([0, 1]);
    expect([existsSync(left.place.folder), existsSync(used.place.folder)]).toEqual([false, true]);
  });

  test('only Kafka advertises', async () => {
    await expect(startPrivate('rabbitmq', { advertised: ['a:1'], dir: folder })).rejects.toThrow(TypeError);
  });
});
