import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { COLUMNS } from '../src/event.js';

const CLI = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'anymq-demo-'));
const archive = join(folder, 'archive.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const demo = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, '--archive', archive, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

describe('demo', () => {
  test('prints one JSON object on the last line and archives every event', async () => {
    const { code, stdout } = await demo('--events', '1200', '--json');
    expect(code).toBe(0);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(Object.keys(result)).toEqual(['engine', 'read', 'invalid', 'sent', 'groups', 'funnel']);
    expect(result).toMatchObject({
      engine: 'memory',
      read: 1200,
      invalid: 0,
      sent: 1200,
      groups: {
        funnel: { handled: 1200, duplicates: 0, orderViolations: 0 },
        archive: { handled: 1200, duplicates: 0 },
      },
    });
    expect(readFileSync(archive, 'utf8').trimEnd().split('\n')).toHaveLength(1200);
  });

  test('the funnel of a seed is the same in every run', async () => {
    const runs = await Promise.all([1, 2].map(() => demo('--events', '2000', '--seed', '5', '--json')));
    const [a, b] = runs.map(({ stdout }) => JSON.stringify(JSON.parse(stdout).funnel));
    expect(a).toBe(b);
  });

  test('reports and counts a line that is no event, and goes on', async () => {
    const input = join(folder, 'bad.csv');
    writeFileSync(input, `${COLUMNS.join(',')}\nnonsense\n2019-10-01 00:00:00 UTC,view,1,2,,x,1.5,3,s1\n`);
    const { code, stdout, stderr } = await demo('--input', input, '--json');
    expect(code).toBe(0);
    expect(stderr).toContain('line 2 is no event: has 1 columns, wanted 9');
    expect(JSON.parse(stdout)).toMatchObject({ read: 2, invalid: 1, sent: 1 });
  });

  test.each([
    ['a missing file', ['--input', '/nowhere.csv'], 'There is no file /nowhere.csv.'],
    ['a missing archive folder', ['--archive', '/nowhere/a.jsonl'], 'there is no folder /nowhere'],
    [
      'a disk that is full',
      ['--archive', '/dev/full', '--events', '100'],
      'Cannot write the archive /dev/full: ENOSPC',
    ],
    [
      'real and made-up events at once',
      ['--input', '/nowhere.csv', '--events', '5'],
      "cannot be used with option '--events",
    ],
    ['a word too much', ['now'], 'too many arguments'],
    ['a bad number', ['--events', 'many'], 'It must be a whole number'],
    ['an unknown engine', ['--on', 'pulsar'], 'Allowed choices are memory, kafka, rabbitmq, rocketmq'],
    ['an unknown option', ['--colour'], "unknown option '--colour'"],
  ])('%s is one clear sentence and exit code 1', async (_what, args, sentence) => {
    const { code, stdout, stderr } = await demo(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a missing file is told before a broker is touched', async () => {
    const { code, stderr } = await demo('--on', 'rabbitmq', '--input', '/nowhere.csv');
    expect([code, stderr]).toEqual([1, 'There is no file /nowhere.csv.\n']);
  });

  test('what an archive has is kept', async () => {
    const file = join(folder, 'kept.jsonl');
    writeFileSync(file, '"before"\n');
    await demo('--archive', file, '--events', '3');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect([lines[0], lines.length]).toEqual(['"before"', 4]);
  });

  test('without --json there are two tables', async () => {
    const { stdout } = await demo('--events', '500');
    for (const word of [
      'events read',
      'order violations',
      'duplicates',
      'messages per second',
      'conversion',
      'electronics',
    ])
      expect(stdout).toContain(word);
  });

  test('Ctrl-C drains, prints what was done and exits with 130', async () => {
    const child = spawn(process.execPath, [CLI, '--archive', archive, '--events', '5000000', '--json']);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    // The first progress line says that messages flow.
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (text) => String(text).includes('handled by') && resolve()),
    );
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    const { sent, groups } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(sent).toBeGreaterThan(0);
    expect([groups.funnel.handled, groups.archive.handled]).toEqual([sent, sent]);
  }, 30_000);

  test('Ctrl-C does not wait for an input that is silent', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    const child = spawn(process.execPath, [CLI, '--archive', archive, '--input', pipe, '--json']);
    const writer = await open(pipe, 'w');
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    const problem = new Promise<void>((resolve) =>
      child.stderr.on('data', (text) => String(text).includes('line 3 is no event') && resolve()),
    );
    await writer.write(`${COLUMNS.join(',')}\n2019-10-01 00:00:00 UTC,view,1,2,,x,1.5,3,s1\nbad\n`);
    await problem;
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    await writer.close();
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ read: 2, invalid: 1, sent: 1, groups: { archive: { handled: 1 } } });
  }, 30_000);
});
