import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openCsv } from '../src/csv-source.js';
import { DemoError } from '../src/errors.js';
import { COLUMNS, topCategory } from '../src/event.js';
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
const read = async (content: string) => {
  const file = join(folder, 'events.csv');
  writeFileSync(file, content);
  return collect(await openCsv(file));
};

describe('openCsv', () => {
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
    ['too many columns', `${GOOD},more`, 'has 10 columns, wanted 9'],
    ['a quote that is never closed', GOOD.replace('shiseido', '"shiseido'), 'has a quote that is not closed'],
    ['a line that is only a quote', '"', 'has a quote that is not closed'],
    ['a line of megabytes', GOOD.replace('shiseido', 'z'.repeat(3_000_000)), 'is longer than 10000 characters'],
    ['a day that does not exist', GOOD.replace('10-01', '02-31'), 'event_time'],
    ['an hour that does not exist', GOOD.replace('00:00:00', '24:00:00'), 'event_time'],
    ['a date without a time', GOOD.replace(' 00:00:00 UTC', ''), 'event_time: must be a time like'],
    ['an unknown event', GOOD.replace('view', 'look'), 'event_type: must be view, cart or purchase'],
    ['a product that is no number', GOOD.replace('44600062', 'x'), 'product_id: must be 1 to 20 digits'],
    ['a price that is none', GOOD.replace('35.79', 'free'), 'price: must be a price like 12.50'],
    ['an empty price', GOOD.replace('35.79', ''), 'price'],
    ['a negative price', GOOD.replace('35.79', '-1'), 'price'],
    ['a price in hexadecimal', GOOD.replace('35.79', '0x10'), 'price'],
    ['a price beyond exact sums', GOOD.replace('35.79', '9'.repeat(308)), 'price: must be at most 1000000000'],
    ['no session', GOOD.replace('72d7', ''), 'user_session: must not be empty'],
    ['a session that is too long for a key', GOOD.replace('72d7', 'é'.repeat(129)), 'must have at most 256 bytes'],
    ['a category that is too long', GOOD.replace(',,', `,${'c'.repeat(257)},`), 'category_code'],
  ])('reports %s and goes on', async (_what, line, problem) => {
    const items = await read(`${HEADER}\n${line}\n${GOOD}\n`);
    expect(items[0]).toMatchObject({ line: 2, problem: expect.stringContaining(problem) });
    expect(items[1]).toMatchObject({ line: 3, event: { event_type: 'view' } });
  });

  test('one bad line costs one line: what follows an open quote is read', async () => {
    const items = await read([HEADER, GOOD, GOOD.replace('shiseido', '"open'), GOOD, GOOD].join('\n'));
    expect(items.map((item) => ['problem' in item, item.line])).toEqual([
      [false, 2],
      [true, 3],
      [false, 4],
      [false, 5],
    ]);
  });

  test('passes over empty lines and keeps the numbers of the lines', async () => {
    const items = await read(`${HEADER}\n\n${GOOD}\n\r\n${GOOD}`);
    expect(items.map(({ line }) => line)).toEqual([3, 5]);
  });

  test('takes characters that stand across two reads of the file', async () => {
    const brands = Array.from({ length: 3_000 }, (_, i) => `${'é'.repeat(i % 40)}漢😀`);
    const items = await read([HEADER, ...brands.map((brand) => GOOD.replace('shiseido', brand))].join('\n'));
    expect(items.map((item) => ('event' in item ? item.event.brand : ''))).toEqual(brands);
  });

  test.each([
    ['another header', 'a,b\n1,2\n', /does not begin with the columns .* Found 'a,b', wanted 'event_time/],
    ['a header with an open quote', `"${HEADER}\n`, /does not begin with the columns/],
    ['no header', `${GOOD}\n`, /does not begin with the columns/],
    ['an empty file', '', /is empty/],
  ])('%s is one sentence', async (_what, content, sentence) => {
    await expect(read(content)).rejects.toThrow(sentence);
    await expect(read(content)).rejects.toBeInstanceOf(DemoError);
  });

  test('a missing file and a folder are one sentence each', async () => {
    await expect(openCsv('/nowhere.csv')).rejects.toThrow('There is no file /nowhere.csv.');
    await expect(openCsv(folder)).rejects.toThrow(`${folder} is a folder, not a CSV file.`);
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

  test('sessions begin with a view and go over the cart to at most one purchase', async () => {
    const sessions = new Map<string, string[]>();
    for (const item of await collect(generatedSource(3_000, 1))) {
      if (!('event' in item)) continue;
      const { user_session, event_type } = item.event;
      sessions.set(user_session, [...(sessions.get(user_session) ?? []), event_type]);
    }
    const paths = [...sessions.values()];
    expect(paths.filter(([first]) => first !== 'view')).toEqual([]);
    const bought = paths.filter((path) => path.includes('purchase'));
    expect(bought.length).toBeGreaterThan(0);
    expect(bought.filter((path) => path.at(-2) !== 'cart' || path.indexOf('purchase') !== path.length - 1)).toEqual([]);
  });

  test('some categories are popular, some brands and categories are empty', async () => {
    const events = (await collect(generatedSource(3_000, 1))).flatMap((item) => ('event' in item ? [item.event] : []));
    const of = (top: string) => events.filter((event) => topCategory(event) === top).length;
    expect(of('electronics')).toBeGreaterThan(of('furniture'));
    expect(of('unknown')).toBeGreaterThan(0);
    expect(events.some(({ brand }) => brand === '')).toBe(true);
  });
});
