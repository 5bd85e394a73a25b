import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Archive } from '../src/archive.js';
import { DemoError } from '../src/errors.js';
import type { BehaviourEvent } from '../src/event.js';
import { Window } from '../src/window.js';

const folder = mkdtempSync(join(tmpdir(), 'anymq-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const event = (product_id: string): BehaviourEvent => ({
  event_time: '2019-10-01 00:00:00 UTC',
  event_type: 'view',
  product_id,
  category_id: '2',
  category_code: '',
  brand: '"\n',
  price: 1,
  user_id: '3',
  user_session: 's',
});

describe('archive', () => {
  test('appends batches as whole lines, in the order of the calls', async () => {
    const file = join(folder, 'a.jsonl');
    writeFileSync(file, '1\n');
    {
      await using archive = await Archive.open(file);
      const batches = Array.from({ length: 50 }, (_, i) => archive.append([event(`${i}`), event(`${i + 1_000}`)]));
      await Promise.all([...batches, archive.append([])]);
    }
    const [first, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(first).toBe('1');
    expect(lines.map((line) => JSON.parse(line).product_id)).toEqual(
      Array.from({ length: 50 }, (_, i) => [`${i}`, `${i + 1_000}`]).flat(),
    );
  });

  test('what cannot be written is one sentence, and nothing is written after it', async () => {
    await expect(Archive.open(join(folder, 'no', 'a.jsonl'))).rejects.toBeInstanceOf(DemoError);
    await using archive = await Archive.open('/dev/full');
    const results = await Promise.allSettled([archive.append([event('1')]), archive.append([event('2')])]);
    for (const result of results)
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'DemoError', message: expect.stringContaining('ENOSPC') },
      });
  });
});

describe('window', () => {
  test('is full at its limit, has room when half is free, and tells when it is empty', async () => {
    const window = new Window(4);
    const log: string[] = [];
    await window.empty();
    for (let i = 0; i < 4; i++) window.enter();
    expect(window.full).toBe(true);
    const room = window.room().then(() => log.push('room'));
    window.leave();
    await Promise.resolve();
    expect(log).toEqual([]);
    window.leave();
    await room;
    const empty = window.empty().then(() => log.push('empty'));
    window.leave();
    await Promise.resolve();
    expect(log).toEqual(['room']);
    window.leave();
    await empty;
    expect(log).toEqual(['room', 'empty']);
  });
});
