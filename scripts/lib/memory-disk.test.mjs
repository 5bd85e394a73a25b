import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataInMemory } from './memory-disk.mjs';

const linked = (folder) => lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true;

test('data goes to memory where there is room, and nothing is left of it; folders that exist stay', (t) => {
  const state = mkdtempSync(join(tmpdir(), 'anymq-memory-'));
  process.env.ANYMQ_TEST_BROKERS_DIR = state;
  mkdirSync(join(state, 'kafka'));
  const undo = dataInMemory();
  if (!linked(join(state, 'private'))) return t.skip('no room in memory here');
  writeFileSync(join(state, 'private', 'data'), 'x');
  assert.equal(linked(join(state, 'kafka')), false);
  // As after a run that was killed: the next one takes over what it left, and clears it.
  dataInMemory()();
  undo();
  assert.deepEqual(
    ['private', 'rabbitmq', 'rocketmq', 'kafka'].map((name) => existsSync(join(state, name))),
    [false, false, false, true],
  );
  rmSync(state, { recursive: true });
  delete process.env.ANYMQ_TEST_BROKERS_DIR;
});
