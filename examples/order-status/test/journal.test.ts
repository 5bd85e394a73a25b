import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Follower } from '../src/follower.js';
import { Journal } from '../src/journal.js';
import type { Entry } from '../src/ledger.js';
import { applied } from './support/entries.js';

const folder = mkdtempSync(join(tmpdir(), 'anymq-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${++files}.jsonl`);
const duplicate = (id: string): Entry => ({ kind: 'duplicate', id });

describe('Journal', () => {
  test('what was appended is there when it is opened again, in the order of the calls', async () => {
    const path = newFile();
    const { journal, entries } = await Journal.open(path);
    expect(entries).toEqual([]);
    await Promise.all(Array.from({ length: 100 }, (_, n) => journal.append(duplicate(`m${n}`))));
    await journal.close();
    const again = await Journal.open(path);
    expect(again.entries).toEqual(Array.from({ length: 100 }, (_, n) => duplicate(`m${n}`)));
    await again.journal.close();
  });

  test('is on the disk when append resolves', async () => {
    const path = newFile();
    const { journal } = await Journal.open(path);
    await journal.append(duplicate('m1'));
    expect(readFileSync(path, 'utf8')).toBe('{"kind":"duplicate","id":"m1"}\n');
    await journal.close();
  });

  test('a line that was being written when the process died is cut off, and the next is not glued to it', async () => {
    const path = newFile();
    writeFileSync(path, `${JSON.stringify(duplicate('m1'))}\n{"kind":"dupl`);
    const { journal, entries } = await Journal.open(path);
    expect(entries).toEqual([duplicate('m1')]);
    await journal.append(duplicate('m2'));
    await journal.close();
    const again = await Journal.open(path);
    expect(again.entries).toEqual([duplicate('m1'), duplicate('m2')]);
    await again.journal.close();
  });

  test('close lets the write under way end, and rejects the rest and everything later', async () => {
    const path = newFile();
    const { journal } = await Journal.open(path);
    const [first, second] = [journal.append(duplicate('m1')), journal.append(duplicate('m2'))];
    const outcomes = Promise.allSettled([first, second]);
    await journal.close();
    await expect(journal.append(duplicate('m3'))).rejects.toThrow('The journal is closed.');
    const stored = readFileSync(path, 'utf8').trimEnd().split('\n').length;
    expect((await outcomes).map(({ status }) => status).filter((status) => status === 'fulfilled')).toHaveLength(
      stored,
    );
  });
});

describe('Follower', () => {
  test('takes up what another writes, whole lines only', async () => {
    const path = newFile();
    await using follower = await Follower.open(path);
    await follower.refresh();
    expect(follower.ledger.received).toBe(0);
    const line = JSON.stringify(applied('o1', 'created'));
    appendFileSync(path, `${line}\n${line.slice(0, 10)}`);
    await follower.refresh();
    expect(follower.ledger.applied).toBe(1);
    appendFileSync(path, `${line.slice(10)}\n`.replaceAll('created', 'paid').replace('"sequence":0', '"sequence":1'));
    await follower.refresh();
    expect(follower.ledger.received).toBe(2);
  });
});
