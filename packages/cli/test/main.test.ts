import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessagingError } from '@anymq/core';
import { describe, expect, test } from '@jest/globals';
import { Run } from './support/run.js';

const STATS = ['dead-letters', 'stats', '--topic', 'orders.paid', '--group', 'shipping'];
const COMMANDS = [
  ...['list', 'show', 'stats', 'redrive', 'purge', 'export', 'import'].map((name) => ['dead-letters', name]),
  ...['topics', 'groups', 'publish', 'tail'].map((name) => [name]),
];

describe('exit codes', () => {
  test.each([
    ['UNAVAILABLE', 1],
    ['UNAUTHORISED', 1],
    ['TIMEOUT', 1],
    ['NOT_FOUND', 1],
    ['INTERNAL', 1],
    ['INVALID_ARGUMENT', 2],
    ['INVALID_CONFIG', 2],
    ['UNSUPPORTED', 2],
  ] as const)('%s is %d, in one sentence on standard error', async (code, exit) => {
    const run = new Run();
    run.messaging.failures.stats = new MessagingError(code, 'What went wrong.');
    expect([await run.anymq(...STATS), run.stdout, run.stderr]).toEqual([exit, '', 'What went wrong.\n']);
    expect(run.messaging.closed).toBe(1);
  });

  test.each([
    [['dead-letters', 'list', '--topic', 'x'], "Required option '--group <group>' not specified"],
    [[...STATS, '--by', 'colour'], 'Allowed choices are code, error, topic'],
    [[...STATS, '--where', 'colour=red'], "no field 'colour'"],
    [[...STATS, '--limit', '0'], 'It must be a whole number from 1'],
    [[...STATS, '--id', ''], '--id is empty'],
    [[...STATS, 'too', 'much'], 'Too many arguments'],
    [[...STATS, '--colour'], "Unknown option '--colour': --help shows what there is.\n"],
    [['topic'], "Unknown command 'topic' (Did you mean topics?)\n"],
  ])('%j is 2, and nothing is opened', async (args, sentence) => {
    const run = new Run();
    expect([await run.anymq(...args), run.messaging.opened]).toEqual([2, undefined]);
    expect(run.stderr).toContain(sentence);
  });

  test('a configuration that is wrong is 2', async () => {
    const run = new Run();
    run.messaging.failures.open = new MessagingError('INVALID_CONFIG', 'There is no file x.json.');
    expect([await run.anymq(...STATS, '--config', 'x.json'), run.stderr]).toEqual([2, 'There is no file x.json.\n']);
    expect(run.messaging.opened).toEqual({ configFile: 'x.json' });
  });

  test('no configuration is told for the command, without code', async () => {
    const run = new Run();
    const message = "There is none. The smallest is {}, or in code createMessaging({ brokers: { a: 'b' } }).";
    run.messaging.failures.open = new MessagingError('INVALID_CONFIG', message);
    expect([await run.anymq(...STATS), run.stderr]).toEqual([2, 'There is none. The smallest is {}.\n']);
  });

  test('an interruption ends what waits for a broker', async () => {
    const run = new Run();
    run.messaging.letters.stats = () => {
      run.interrupt();
      return new Promise(() => {});
    };
    expect([await run.anymq(...STATS), run.stderr, run.messaging.closed]).toEqual([130, 'Interrupted.\n', 1]);
  });
});

describe('--verbose', () => {
  const cause = Object.assign(new Error('connect to amqp://user:geheim@host failed'), {
    code: 'ECONNREFUSED',
    password: 'geheim',
  });

  test('adds the causes, and never credentials', async () => {
    const run = new Run();
    run.messaging.failures.stats = new MessagingError('UNAVAILABLE', 'It does not answer.', { cause });
    expect(await run.anymq(...STATS, '--verbose')).toBe(1);
    expect(run.stderr).toBe('It does not answer.\n  caused by Error ECONNREFUSED: connect to amqp://***@host failed\n');
  });

  test('a chain of causes that is a circle ends', async () => {
    const run = new Run();
    const circle = new Error('round');
    circle.cause = circle;
    run.messaging.failures.stats = circle;
    expect(await run.anymq(...STATS, '--verbose')).toBe(1);
    expect(run.stderr.split('\n').length).toBeLessThan(12);
  });

  test('shows what core logs', async () => {
    const run = new Run();
    await run.anymq(...STATS, '--verbose');
    run.messaging.opened?.logger?.warn('The connection is down.', { password: 'geheim' });
    expect(run.stderr).toContain('The connection is down.\n');
    expect(run.stderr).not.toContain('geheim');
  });
});

describe('--help', () => {
  test.each(COMMANDS)('%s %s has a description and examples', async (...words) => {
    const run = new Run();
    const names = words.filter((word) => word !== undefined);
    expect(await run.anymq(...names, '--help')).toBe(0);
    expect(run.stdout).toContain(`Usage: anymq ${names.join(' ')}`);
    expect(run.stdout).toContain('Examples:');
    for (const option of ['--config', '--broker', '--json', '--verbose']) expect(run.stdout).toContain(option);
    expect(run.messaging.opened).toBeUndefined();
  });

  test('of all names the commands and the exit codes', async () => {
    const run = new Run();
    expect(await run.anymq('--help')).toBe(0);
    for (const word of ['dead-letters', 'topics', 'groups', 'publish', 'tail', '130'])
      expect(run.stdout).toContain(word);
  });

  test('is what no command gets, too, as wrong usage', async () => {
    const run = new Run();
    expect([await run.anymq(), run.stderr.includes('Usage: anymq')]).toEqual([2, true]);
  });
});

describe('the command itself', () => {
  const bin = fileURLToPath(new URL('../src/bin.js', import.meta.url));
  const anymq = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [bin, ...args], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });

  test('prints help and version, and ends', async () => {
    const help = await anymq('--help');
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('Usage: anymq');
    expect((await anymq('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('a configuration that is not there is one sentence and 2', async () => {
    const { code, stdout, stderr } = await anymq('topics', '--config', '/nowhere/anymq.config.json');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Configuration: configFile \/nowhere\/anymq.config.json: there is no such file.\n$/);
  });

  test('a broker that is not configured is told with those that are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'anymq-cli-'));
    const file = join(folder, 'anymq.config.json');
    writeFileSync(file, JSON.stringify({ brokers: { local: { adapter: 'memory' } } }));
    const { code, stderr } = await anymq('topics', '--config', file, '--broker', 'locla');
    rmSync(folder, { recursive: true, force: true });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Configuration: --broker: found 'locla'; expected one of the brokers: local.*\n$/);
  });
});
