import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { brokerStatus, ensureBroker, stopBroker } from '../src/index.js';
import { KINDS } from '../src/kinds.js';
import { missing } from './support/missing.js';

/** Two starts on a machine with two cores. */
const TIMEOUT_MS = 120_000;

const reason = await missing('rabbitmq');
if (reason !== undefined) console.warn(`SKIPPED rabbitmq: ${reason}`);
const run = reason === undefined ? describe : describe.skip;

run('a shared broker of our own', () => {
  const theirs = mkdtempSync(join(tmpdir(), 'anymq-theirs-'));
  const ours = mkdtempSync(join(tmpdir(), 'anymq-ours-'));
  afterAll(async () => {
    for (const dir of [ours, theirs]) {
      await stopBroker('rabbitmq', { dir });
      rmSync(dir, { recursive: true, force: true });
    }
  }, TIMEOUT_MS);

  test(
    'stands beside one that others have started, is found by all, and leaves the usual ports to be looked at when it ends',
    async () => {
      const usual = KINDS.rabbitmq.connection(KINDS.rabbitmq.ports);
      await ensureBroker('rabbitmq', { dir: theirs });
      const own = await ensureBroker('rabbitmq', { dir: ours, own: true });
      expect(own).toMatchObject({ started: true, foreign: false });
      expect(own.connection).not.toEqual(usual);
      const found = { connection: own.connection, foreign: false };
      expect(await ensureBroker('rabbitmq', { dir: ours })).toMatchObject({ ...found, started: false });
      expect(await ensureBroker('rabbitmq', { dir: ours, own: true })).toMatchObject({ ...found, started: false });
      expect(await brokerStatus('rabbitmq', { dir: ours })).toMatchObject({ ...found, state: 'up' });
      expect(await stopBroker('rabbitmq', { dir: ours })).toBe(true);
      expect(await brokerStatus('rabbitmq', { dir: ours })).toMatchObject({ connection: usual, foreign: true });
    },
    TIMEOUT_MS,
  );
});
