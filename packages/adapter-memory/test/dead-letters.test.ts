import type { DeadLetter } from '@anymq/core';
import { describe, expect, test } from '@jest/globals';
import { all, idsOf, ledgerSpec, letterRecord, names, world } from './support/ledger.js';
import { send } from './support/process.js';

describe('reading dead letters', () => {
  test('a letter is its message, bit by bit, and its cause', async () => {
    const { letters, write } = await world();
    await write(letterRecord('a', { code: 'DECODING_FAILED', cycles: 2 }));
    const letter: DeadLetter = {
      id: 'dl-a',
      topic: 'orders',
      group: 'stock',
      messageId: 'a',
      key: 'key of a',
      type: 'orders',
      contentType: 'application/json',
      time: 5,
      headers: { tenant: 'ä', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      body: new Uint8Array([0, 255, 10, 97]),
      position: '0:a',
      attempts: 3,
      firstFailedAt: Date.parse('2026-01-01T00:00:01Z'),
      lastFailedAt: Date.parse('2026-01-01T00:00:02.5Z'),
      cause: { code: 'DECODING_FAILED', error: 'TypeError', message: 'no ö', stack: '0123456789abcdef' },
      cycles: 2,
    };
    expect(await letters.get('dl-a')).toEqual(letter);
    expect(await letters.get('dl-b')).toBeUndefined();
    expect(await all(letters.list())).toEqual([letter]);
  });

  test('by order, ids, where and limit; looking consumes nothing, leaving early is fine', async () => {
    const { letters, listed, messaging, clock } = await world(['a', 'b', 'c', 'd']);
    expect(await listed()).toEqual(['a', 'b', 'c', 'd']);
    expect(await idsOf(letters.list({ order: 'newest', limit: 2 }))).toEqual(['d', 'c']);
    expect(await idsOf(letters.list({ ids: ['dl-d', 'dl-b', 'dl-x'] }))).toEqual(['b', 'd']);
    const seen: string[] = [];
    const where = ({ messageId }: DeadLetter): boolean => seen.push(messageId) % 2 === 0;
    expect(await idsOf(letters.list({ where, limit: 1 }))).toEqual(['b']);
    expect(seen).toEqual(['a', 'b']);
    for await (const { messageId } of letters.list()) if (messageId === 'b') break;
    expect(await listed()).toEqual(['a', 'b', 'c', 'd']);
    await messaging.close();
    expect(clock.timers).toBe(0);
  });

  test('nothing is created where there is none, and another group has its own', async () => {
    const { letters, listed, messaging, broker, process } = await world();
    expect([await listed(), await letters.get('dl-a'), await letters.purge({})]).toEqual([[], undefined, 0]);
    expect(await letters.redrive({})).toEqual({ selected: 0, redriven: 0, exhausted: 0 });
    expect(broker.topics()).toEqual([]);
    await send(process, [letterRecord('z', { group: 'notice' })], ledgerSpec('orders', 'notice'));
    expect(await listed()).toEqual([]);
    expect(await idsOf(messaging.deadLetters('orders', { group: 'notice' }).list())).toEqual(['z']);
  });

  test('what was written before the call is seen, however many look at the same time; markers are no letters', async () => {
    const { letters, listed, write } = await world(['a']);
    const before = Array.from({ length: 5 }, listed);
    expect(await Promise.all(before)).toEqual(Array(5).fill(['a']));
    await write(letterRecord('b'));
    expect(await listed()).toEqual(['a', 'b']);
    expect(await letters.stats({ by: 'topic' })).toEqual(new Map([['orders', 2]]));
  });

  test('processes that look at the same time, and supersede each other’s markers, all see all', async () => {
    const { open, clock } = await world(['a', 'b']);
    const processes = await Promise.all([0, 0.2, 0.4, 0.6, 0.8].map((random) => open(undefined, random)));
    const lists = processes.map((messaging) => idsOf(messaging.deadLetters('orders', { group: 'stock' }).list()));
    await clock.advanceAsync(5_000);
    expect(await Promise.all(lists)).toEqual(processes.map(() => ['a', 'b']));
    await Promise.all(processes.map((messaging) => messaging.close()));
    expect(clock.timers).toBe(0);
  });

  test('a letter that was removed and written again is there, once', async () => {
    const { letters, listed, write } = await world(['a', 'b']);
    expect(await letters.purge({ ids: ['dl-a'] })).toBe(1);
    expect(await listed()).toEqual(['b']);
    await write(letterRecord('a'), letterRecord('b'), letterRecord('a'));
    expect(await listed()).toEqual(['b', 'a']);
  });

  test('is counted by what it failed with, descending', async () => {
    const { letters, write } = await world(['a']);
    await write(letterRecord('b', { code: 'TIMEOUT' }), letterRecord('c', { code: 'TIMEOUT' }));
    expect([...(await letters.stats({ by: 'code' }))]).toEqual([
      ['TIMEOUT', 2],
      ['', 1],
    ]);
    expect(await letters.stats({ by: 'error' })).toEqual(new Map([['TypeError', 3]]));
  });

  test('somebody else’s record in the topic is passed over', async () => {
    const { listed, write } = await world(['a']);
    await write({ ...letterRecord('b'), headers: undefined });
    await write({ ...letterRecord('c'), headers: { 'anymq-parcel': '{' } });
    expect(await listed()).toEqual(['a']);
  });
});

describe('purging', () => {
  test('removes for good what was selected, the oldest first', async () => {
    const { letters, listed } = await world(['a', 'b', 'c']);
    const progress: unknown[] = [];
    expect(await letters.purge({ limit: 2 }, { onProgress: (at) => progress.push(at) })).toBe(2);
    expect(progress).toHaveLength(2);
    expect(await listed()).toEqual(['c']);
    expect(await letters.purge({ where: () => false })).toBe(0);
  });

  test('a condition that throws, or that promises, ends it and removes nothing', async () => {
    const { letters, listed } = await world(['a']);
    const where = (): boolean => {
      throw new RangeError('odd');
    };
    await expect(letters.purge({ where })).rejects.toThrow(RangeError);
    const promise = (async () => false) as unknown as () => boolean;
    await expect(letters.purge({ where: promise })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await listed()).toEqual(['a']);
  });
});

describe('export and import', () => {
  test('letters go out as lines and come back as they were, not doubled', async () => {
    const { letters, write } = await world(['a']);
    await write(letterRecord('b', { code: 'TIMEOUT', cycles: 3 }));
    const before = await all(letters.list());
    const lines = await all(letters.export());
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ version: 1, id: 'dl-a', body: 'AP8KYQ==' }, {}]);
    expect(await letters.import([lines[0] as string])).toBe(1);
    await letters.purge({});
    expect(await letters.import(lines.join('\n').concat('\n').split('\n'))).toBe(2);
    expect(await all(letters.list())).toEqual(before);
  });

  test('and into another broker, which had no letter', async () => {
    const [here, there] = [await world(names(200)), await world()];
    expect(await there.letters.import(here.letters.export())).toBe(200);
    expect(await there.listed()).toEqual(names(200));
  });

  test('a line that is none is named by its number; those before it are written', async () => {
    const { letters } = await world(['a', 'b']);
    const [good = '', next = ''] = await all(letters.export());
    await letters.purge({});
    const bad = (line: string, change: Record<string, unknown>): string =>
      JSON.stringify({ ...JSON.parse(line), ...change });
    const refused = async (line: unknown, words: string): Promise<void> =>
      expect(letters.import(['', good, line as string])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(words),
      });
    await refused('{', 'Line 3 is not JSON');
    await refused(7, 'Line 3 must be a string');
    await refused(bad(next, { version: 2 }), 'Line 3 is no dead letter: version');
    await refused(bad(next, { body: '***' }), 'Line 3 is no dead letter: body: expected base64');
    await refused(bad(next, { headers: { 'anymq-removed': '1' } }), 'Line 3 is no dead letter: headers');
    await refused(bad(next, { id: 'marker' }), 'Line 3 is no dead letter: id: reserved');
    await refused(bad(next, { more: 1 }), 'Line 3 is no dead letter');
    await refused(bad(next, { group: 'notice' }), "Line 3 is a letter of group 'notice' on topic 'orders'");
    expect(await idsOf(letters.list())).toEqual(['a']);
  });
});

describe('what cannot be asked', () => {
  test.each([
    [{ ids: 'dl-a' }, 'ids'],
    [{ where: 'code=TIMEOUT' }, 'where'],
    [{ limit: 0 }, 'limit'],
    [{ id: 'dl-a' }, "no option 'id'"],
    [undefined, 'must be an object'],
  ])('a selection %j', async (selection, words) => {
    const { letters, listed } = await world(['a']);
    const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(words) };
    await expect(letters.purge(selection as never)).rejects.toMatchObject(refusal);
    await expect(letters.redrive(selection as never)).rejects.toMatchObject(refusal);
    expect(await listed()).toEqual(['a']);
  });

  test.each([
    [{ ratePerSecond: 0 }],
    [{ ratePerSecond: Number.POSITIVE_INFINITY }],
    [{ ratePerSecond: '5' }],
    [{ dryRun: 1 }],
    [{ maxCycles: 0 }],
    [{ to: 'stock' }],
    [{ to: { group: '' } }],
    [{ dry: true }],
  ])('a redrive %j', async (options) => {
    const { letters, listed } = await world(['a']);
    await expect(letters.redrive({}, options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await listed()).toEqual(['a']);
  });

  test('a topic, a group or an order that is none', async () => {
    const { messaging, letters } = await world();
    const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => messaging.deadLetters('a b', { group: 'g' })).toThrow(refusal);
    expect(() => messaging.deadLetters({} as never, { group: 'g' })).toThrow(refusal);
    expect(() => messaging.deadLetters('orders', { group: '' })).toThrow(refusal);
    expect(() => messaging.deadLetters('orders', undefined as never)).toThrow(refusal);
    await expect(all(letters.list({ order: 'best' as never }))).rejects.toEqual(refusal);
    await expect(letters.stats({ by: 'key' as never })).rejects.toEqual(refusal);
    await expect(letters.get(7 as never)).rejects.toEqual(refusal);
  });
});
