import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { removeDeadLink } from '../src/state.js';

test('a link that leads nowhere is removed; what a link leads to, a folder and nothing at all stay as they are', () => {
  const root = mkdtempSync(join(tmpdir(), 'anymq-state-'));
  const at = (name: string): string => join(root, name);
  mkdirSync(at('folder'));
  writeFileSync(at('folder/file'), '');
  symlinkSync(at('folder'), at('live'));
  symlinkSync(at('gone'), at('dead'));
  for (const name of ['folder', 'live', 'dead', 'nothing']) removeDeadLink(at(name));
  expect(existsSync(at('folder/file'))).toBe(true);
  expect(lstatSync(at('live')).isSymbolicLink()).toBe(true);
  expect(lstatSync(at('dead'), { throwIfNoEntry: false })).toBeUndefined();
  rmSync(root, { recursive: true });
});
