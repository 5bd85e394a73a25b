import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

const CLI = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'anymq-order-status-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const example = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

describe('example:order-status', () => {
  test('prints one JSON object on the last line, finds nothing wrong, and keeps the journals where it is told to', async () => {
    const { code, stdout, stderr } = await example('--orders', '30', '--seed', '4', '--json', '--journals', folder);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect([code, result.problems]).toEqual([0, []]);
    expect(result.orders.paid + result.orders.expired).toBe(30);
    expect(result.services.shipping).toMatchObject({ orderViolations: 0, deadLetters: 0, starts: 2 });
    expect(result.services.stock).toMatchObject({ orderViolations: 0, deadLetters: 4, starts: 1 });
    expect(result.deadLetters).toEqual({ found: 4, redriven: 4 });
    expect(stderr).toContain('Cut shipping off');
    const [run] = readdirSync(folder);
    expect(readdirSync(join(folder, run ?? '')).sort()).toEqual([
      'catalogue.json',
      'notice.jsonl',
      'shipping.jsonl',
      'stock.jsonl',
    ]);
  });

  test.each([
    ['too few orders', ['--orders', '9'], 'It must be a whole number from 10 to 20000'],
    ['an unknown engine', ['--on', 'pulsar'], 'Allowed choices are memory, kafka, rabbitmq, rocketmq'],
    ['a word too much', ['now'], 'too many arguments'],
    ['a folder that cannot be', ['--journals', '/dev/null'], 'Cannot make the folder /dev/null/'],
  ])('%s is one clear sentence and exit code 1', async (_what, args, sentence) => {
    const { code, stdout, stderr } = await example(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
