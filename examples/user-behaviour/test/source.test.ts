import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { csvSource } from '../src/csv-source.js';
import { COLUMNS } from '../src/event.js';
import { generatedSource } from '../src/generator.js';
import type { Source, SourceItem } from '../src/source.js';

const folder = mkdtempSync(join(tmpdir(), 'anymq-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEADER = COLUMNS.join(',');
const GOOD = '2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d7';
const collect = async (source: Source): Promise<SourceItem[]> => {
  const items: SourceItem[] = [];
  for await (const item of source) items.push(item);
  return items;
};
const read = (text: string) => {
  const file = join(folder, 'events.csv');
  writeFileSync(file, text);
  return collect(csvSource(file));
};

describe('csvSource', () => {
  test('reads events, ids in full, with the numbers of their lines', async () => {
    const items = await read(`${HEADER}\n${GOOD}\n${GOOD}\n`);
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({
      line: 3,
      event: { category_id: '2103807459595387724', price: 35.79, category_code: '' },
    });
  });

  test('takes a byte order mark, CRLF and quoted fields', async () => {
    const items = await read(`\ufeff${HEADER}\r\n${GOOD.replace('shiseido', '"a, ""b"""')}\r\n`);
    expect(items[0]).toMatchObject({ event: { brand: 'a, "b"' } });
  });

  test.each([
    ['too few columns', 'a,b,c', 'has 3 columns, wanted 9'],
    ['a day that does not exist', GOOD.replace('10-01', '02-31'), 'event_time'],
    ['an unknown event', GOOD.replace('view', 'look'), 'event_type'],
    ['a price that is none', GOOD.replace('35.79', 'free'), 'price: must be a price like 12.50'],
    ['an empty price', GOOD.replace('35.79', ''), 'price'],
    ['a negative price', GOOD.replace('35.79', '-1'), 'price'],
    ['no session', GOOD.replace('72d7', ''), 'user_session: must not be empty'],
  ])('reports %s and goes on', async (_what, line, problem) => {
    const items = await read(`${HEADER}\n${line}\n${GOOD}\n`);
    expect(items[0]).toMatchObject({ line: 2, problem: expect.stringContaining(problem) });
    expect(items[1]).toMatchObject({ line: 3, event: { event_type: 'view' } });
  });

  test('a missing file, another header and an empty file are one sentence each', async () => {
    await expect(collect(csvSource('/nowhere.csv'))).rejects.toThrow('There is no file /nowhere.csv.');
    await expect(read('a,b\n1,2\n')).rejects.toThrow(/does not begin with the columns/);
    await expect(read('')).rejects.toThrow(/is empty/);
  });
});

describe('generatedSource', () => {
  test('the same seed makes the same events, another one others, all valid', async () => {
    const [a, b, c] = await Promise.all([
      collect(generatedSource(500, 1)),
      collect(generatedSource(500, 1)),
      collect(generatedSource(500, 2)),
    ]);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(a.filter((item) => 'problem' in item)).toEqual([]);
  });

  test('sessions go from view over cart to purchase', async () => {
    const items = await collect(generatedSource(3_000, 1));
    const types = new Set(items.map((item) => ('event' in item ? item.event.event_type : '')));
    expect(types).toEqual(new Set(['view', 'cart', 'purchase']));
  });
});
