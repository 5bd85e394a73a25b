import { type Delivery, defineTopic } from '@anymq/core';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  all,
  faulty,
  idsOf,
  inboxSpec,
  ledger,
  letterRecord,
  names,
  onInbox,
  type Tamper,
  world,
} from './support/ledger.js';
import { receiverSpec } from './support/process.js';

describe('redriving', () => {
  test('gives the messages to their group alone, as they were, with attempts from 1 and a cycle more', async () => {
    const { letters, listed, process, clock, messaging } = await world(['a', 'b', 'c']);
    const progress: unknown[] = [];
    const report = await letters.redrive({ ids: ['dl-a', 'dl-c'] }, { onProgress: (at) => progress.push(at) });
    expect(report).toEqual({ selected: 2, redriven: 2, exhausted: 0 });
    expect(progress).toEqual([
      { done: 1, total: 2 },
      { done: 2, total: 2 },
    ]);
    expect(await listed()).toEqual(['b']);
    const inbox = await onInbox(process);
    await clock.advanceAsync(0);
    expect(inbox.ids).toEqual(['a', 'c']);
    const note = {
      key: 'key of a',
      type: 'orders',
      contentType: 'application/json',
      position: '0:a',
      cycles: 1,
      attempts: 0,
    };
    const { 'anymq-parcel': parcel, ...headers } = inbox.waiting[0]?.headers ?? {};
    expect([JSON.parse(parcel ?? ''), headers]).toEqual([
      note,
      { tenant: 'ä', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    ]);
    expect(inbox.waiting[0]).toMatchObject({ body: new Uint8Array([0, 255, 10, 97]), time: 5, redelivered: false });
    await inbox.close();
    await messaging.close();
  });

  test('or to another group of the topic', async () => {
    const { letters, process, clock, broker } = await world(['a']);
    await letters.redrive({}, { to: { group: 'repair' } });
    const inbox = await onInbox(process, 'repair');
    await clock.advanceAsync(0);
    expect(inbox.ids).toEqual(['a']);
    expect(broker.topics()).not.toContain(`test.${inboxSpec('orders', 'stock').name}`);
  });

  test('dry, it counts and does nothing', async () => {
    const { letters, listed, write, broker } = await world(['a', 'b']);
    await write(letterRecord('c', { cycles: 10 }));
    const report = await letters.redrive({}, { dryRun: true });
    expect(report).toEqual({ selected: 3, redriven: 2, exhausted: 1 });
    expect(await listed()).toEqual(['a', 'b', 'c']);
    expect(broker.topics()).toEqual([`test.${ledger.name}`]);
  });

  test('two cycles, and the loop ends at maxCycles', async () => {
    const { letters, listed, write, process, clock } = await world(['a']);
    const cycles: number[] = [];
    for (const cycle of [1, 2]) {
      expect(await letters.redrive({}, { maxCycles: 2 })).toMatchObject({ redriven: 1, exhausted: 0 });
      const inbox = await onInbox(process);
      await clock.advanceAsync(0);
      cycles.push(JSON.parse(inbox.waiting[0]?.headers?.['anymq-parcel'] ?? '').cycles);
      inbox.settle();
      await inbox.close();
      await write({ ...letterRecord('a', { cycles: cycle }), id: `dl-a-${cycle}`, key: `dl-a-${cycle}` });
    }
    expect(cycles).toEqual([1, 2]);
    expect(await letters.redrive({}, { maxCycles: 2 })).toEqual({ selected: 1, redriven: 0, exhausted: 1 });
    expect((await all(letters.list())).map(({ id, messageId }) => [id, messageId])).toEqual([['dl-a-2', 'a']]);
    expect(await letters.redrive({}, { maxCycles: 3 })).toMatchObject({ redriven: 1 });
    expect(await listed()).toEqual([]);
  });

  test('as fast as it may and no faster', async () => {
    const { letters, clock, messaging } = await world(names(5));
    const at: number[] = [];
    const start = clock.monotonic();
    const onProgress = (): void => void at.push(clock.monotonic() - start);
    const redriving = letters.redrive({}, { ratePerSecond: 4, onProgress });
    await clock.advanceAsync(999);
    expect(at).toEqual([0, 250, 500, 750]);
    await clock.advanceAsync(10_000);
    expect(at).toEqual([0, 250, 500, 750, 1_000]);
    expect(await redriving).toMatchObject({ redriven: 5 });
    await messaging.close();
    expect(clock.timers).toBe(0);
  });

  test('stopped by its signal: what was redriven is, the rest stays', async () => {
    const { letters, listed, clock } = await world(names(5));
    const stop = new AbortController();
    const redriving = letters.redrive({}, { ratePerSecond: 1, signal: stop.signal });
    const refused = expect(redriving).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await clock.advanceAsync(2_500);
    stop.abort('enough');
    await refused;
    expect(await listed()).toEqual(['m0003', 'm0004']);
    await expect(letters.redrive({}, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await listed()).toEqual(['m0003', 'm0004']);
  });

  test('interrupted by an error in the middle and called again, it loses and doubles none', async () => {
    let broken = true;
    const tamper: Tamper = (adapter) =>
      faulty(adapter, 'anymq.inbox', (id) => (broken && id === 'm0150' ? 'not-sent' : 'none'));
    const { letters, listed, clock, process } = await world(names(300), tamper);
    await expect(letters.redrive({})).rejects.toMatchObject({ code: 'INTERNAL' });
    const left = await listed();
    expect(left).toContain('m0150');
    expect(left.length).toBeGreaterThan(300 - 150 - 64);
    expect(left.length).toBeLessThan(300);
    broken = false;
    expect(await letters.redrive({})).toMatchObject({ redriven: left.length });
    expect(await listed()).toEqual([]);
    const inbox = await onInbox(process);
    await clock.advanceAsync(0);
    expect([...inbox.ids].sort()).toEqual(names(300));
  });

  test('a removal that fails leaves its letter, which comes again with the same id: at most what was in flight', async () => {
    let broken = false;
    const tamper: Tamper = (adapter) =>
      faulty(adapter, 'anymq.dead', (id) => (broken && id.startsWith('dl-m') ? 'not-sent' : 'none'));
    const { letters, listed, clock, process } = await world(names(300), tamper);
    broken = true;
    await expect(letters.redrive({})).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await listed()).toHaveLength(300);
    broken = false;
    await letters.redrive({});
    const inbox = await onInbox(process);
    await clock.advanceAsync(0);
    expect([...new Set(inbox.ids)].sort()).toEqual(names(300));
    expect(inbox.ids.length).toBeLessThanOrEqual(300 + 64);
  });

  test('a send without an answer counts as not done: its letter stays, with that error', async () => {
    let broken = true;
    const tamper: Tamper = (adapter) => faulty(adapter, 'anymq.inbox', () => (broken ? 'stored-but-unknown' : 'none'));
    const { letters, listed, clock } = await world(['a'], tamper);
    const redriving = expect(letters.redrive({})).rejects.toMatchObject({ code: 'INDETERMINATE' });
    await clock.advanceAsync(31_000);
    await redriving;
    expect(await listed()).toEqual(['a']);
    broken = false;
    expect(await letters.redrive({})).toMatchObject({ redriven: 1 });
  });
});

describe('what a subscription gave up', () => {
  test('is listed with its cause, comes back to its group alone with attempts from 1, and is another letter next time', async () => {
    const { messaging, letters, clock } = await world();
    const topic = defineTopic('orders', { schema: z.number(), key: String });
    const calls: string[] = [];
    let cured = false;
    for (const group of ['stock', 'notice']) {
      const consumer = messaging.consumer({ group });
      const handler = ({ id, attempt, key }: Delivery<number>): void => {
        calls.push(`${group} ${id} ${key} #${attempt}`);
        if (group === 'stock' && !cured) throw Object.assign(new TypeError('poison'), { code: 'E_POISON' });
      };
      consumer.subscribe(topic, handler, { retry: { maxAttempts: 2 } });
      await consumer.start();
    }
    await messaging.producer().send(topic, 7, { id: 'm', headers: { a: 'b' } });
    await clock.advanceAsync(5_000);
    const first = await all(letters.list());
    expect(first).toMatchObject([
      {
        messageId: 'm',
        key: '7',
        headers: { a: 'b' },
        attempts: 2,
        cycles: 0,
        cause: { code: 'E_POISON', error: 'TypeError' },
      },
    ]);
    expect(await letters.redrive({})).toMatchObject({ redriven: 1 });
    await clock.advanceAsync(10_000);
    const second = await all(letters.list());
    expect(second).toMatchObject([{ messageId: 'm', key: '7', headers: { a: 'b' }, attempts: 2, cycles: 1 }]);
    expect(second[0]?.id).not.toBe(first[0]?.id);
    cured = true;
    expect(await letters.redrive({}, { maxCycles: 1 })).toEqual({ selected: 1, redriven: 0, exhausted: 1 });
    await letters.redrive({});
    await clock.advanceAsync(10_000);
    expect(await all(letters.list())).toEqual([]);
    const attempts = [1, 2, 1, 2, 1].map((attempt) => `stock m 7 #${attempt}`);
    expect(calls.filter((call) => call.startsWith('stock'))).toEqual(attempts);
    expect(calls.filter((call) => call.startsWith('notice'))).toEqual(['notice m 7 #1']);
    expect(await messaging.groups('orders')).toMatchObject([
      { group: 'notice', lag: 0, dead: 0 },
      { group: 'stock', lag: 0, retrying: 0, dead: 0 },
    ]);
    await messaging.close();
    expect(clock.timers).toBe(0);
  });
});

describe('the end', () => {
  test('closing ends a redrive and leaves nothing open', async () => {
    const { letters, messaging, clock, open } = await world(names(5));
    const redriving = expect(letters.redrive({}, { ratePerSecond: 1 })).rejects.toMatchObject({ code: 'CLOSED' });
    await clock.advanceAsync(1_500);
    await messaging.close();
    await redriving;
    await expect(letters.get('dl-a')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => messaging.deadLetters('orders', { group: 'stock' })).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    );
    expect(clock.timers).toBe(0);
    const after = (await open()).deadLetters('orders', { group: 'stock' });
    expect(await idsOf(after.list())).toEqual(names(5).slice(2));
  });

  test('a broker that is away ends a call in time', async () => {
    const { letters, listed, broker, clock } = await world(['a']);
    await listed();
    broker.setAvailability('unavailable');
    const listing = expect(letters.get('dl-a')).rejects.toMatchObject({
      code: expect.stringMatching('UNAVAILABLE|TIMEOUT'),
    });
    await clock.advanceAsync(61_000);
    await listing;
    broker.setAvailability('up');
    await clock.advanceAsync(10_000);
    expect(await listed()).toEqual(['a']);
  });
});

describe('topics and groups', () => {
  test('are listed without what is core’s own, with retrying and dead', async () => {
    const { messaging, letters, process } = await world(['a', 'b']);
    for (const group of ['stock', 'notice']) await process.openReceiver(receiverSpec({ group }), sink);
    await letters.redrive({ ids: ['dl-a'] });
    expect(await messaging.topics()).toEqual([{ name: 'orders', broker: 'local' }]);
    expect(await messaging.groups('orders')).toMatchObject([
      { group: 'notice', members: 1, lag: 0, retrying: 0, dead: 0 },
      { group: 'stock', members: 1, lag: 0, retrying: 1, dead: 1 },
    ]);
    await expect(messaging.groups('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

const sink = { own: (name: string) => ({ name, drain: async () => {}, lost() {} }), deliver() {}, failed() {} };
