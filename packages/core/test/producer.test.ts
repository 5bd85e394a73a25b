import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { bytes } from '../src/codec.js';
import { createMessaging } from '../src/messaging.js';
import type { Producer, ProducerOptions } from '../src/producer/contract.js';
import { defineTopic } from '../src/topic.js';
import { settle, TestClock } from './support/clock.js';
import { FakeAdapter } from './support/fake-adapter.js';

const topic = defineTopic('numbers', { schema: z.object({ n: z.number() }) });
const keyed = defineTopic('keyed.numbers', {
  schema: z.object({ n: z.number(), key: z.string() }),
  key: ({ key }) => key,
});

const setUp = async (options?: ProducerOptions) => {
  const adapter = new FakeAdapter();
  const clock = new TestClock();
  const messaging = await createMessaging({ brokers: { main: adapter }, clock, random: () => 0.5 });
  return { adapter, clock, messaging, producer: messaging.producer(options) };
};

/** Sends without waiting; `outcomes` fill as they come. */
const sendAll = (producer: Producer, count: number, options = {}) => {
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) {
    producer.send(topic, { n }, { id: `m${n}`, ...options }).then(
      ({ id }) => outcomes.push(id),
      (error) => outcomes.push(error.code),
    );
  }
  return outcomes;
};
const ids = (write: { records: readonly { id: string }[] } | undefined) => write?.records.map(({ id }) => id);

describe('producer', () => {
  test('sends of one turn go in one write, later ones form the next while it is under way', async () => {
    const { adapter, producer } = await setUp();
    const first = sendAll(producer, 3);
    await settle();
    const second = producer.send(topic, { n: 9 }, { id: 'later' });
    await settle();
    expect(adapter.writes.map(ids)).toEqual([['m0', 'm1', 'm2']]);
    adapter.writes[0]?.store();
    await settle();
    expect(first).toEqual(['m0', 'm1', 'm2']);
    expect(ids(adapter.writes[1])).toEqual(['later']);
    adapter.writes[1]?.store();
    expect((await second).position).toBe('p');
  });

  test('a write has no more records and bytes than the lane takes; a larger record goes alone', async () => {
    const { adapter, producer } = await setUp();
    adapter.limits = { writes: 9, records: 2, bytes: 40 };
    const raw = defineTopic('raw', { schema: z.instanceof(Uint8Array), codec: bytes() });
    for (const size of [10, 10, 10, 500, 30, 30]) producer.send(raw, new Uint8Array(size)).catch(() => {});
    await settle();
    expect(adapter.writes.map(({ records }) => records.map(({ body }) => body.length))).toEqual([
      [10, 10],
      [10],
      [500],
      [30],
      [30],
    ]);
  });

  test('lanes are independent: one that waits for its answer does not hold up another', async () => {
    const { adapter, producer } = await setUp();
    adapter.lanes = 2;
    for (const key of ['a', 'b', 'a', 'b']) producer.send(keyed, { n: 1, key }).catch(() => {});
    await settle();
    expect(adapter.writes.map(({ lane, records }) => [lane, records.map(({ key }) => key)])).toEqual([
      [1, ['a', 'a']],
      [0, ['b', 'b']],
    ]);
  });

  test('what was not stored is written again, in order, before anything newer, after a wait', async () => {
    const { adapter, clock, producer } = await setUp();
    adapter.limits = { writes: 2, records: 2, bytes: 10_000 };
    const outcomes = sendAll(producer, 5);
    await settle();
    expect(adapter.writes.map(ids)).toEqual([
      ['m0', 'm1'],
      ['m2', 'm3'],
    ]);
    adapter.writes[1]?.answer(
      { status: 'unknown', error: new Error('cut') },
      { status: 'unknown', error: new Error('cut') },
    );
    await settle();
    expect(adapter.writes).toHaveLength(2);
    adapter.writes[0]?.answer({ status: 'stored' }, { status: 'not-sent', error: new Error('away') });
    await settle();
    expect(outcomes).toEqual(['m0']);
    expect(adapter.writes).toHaveLength(2);
    await clock.advance(200);
    expect(adapter.writes.slice(2).map(ids)).toEqual([
      ['m1', 'm2'],
      ['m3', 'm4'],
    ]);
    adapter.writes[2]?.store();
    adapter.writes[3]?.store();
    await settle();
    expect(outcomes).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });

  test('a definite failure rejects with its code at once; after an unknown one it is INDETERMINATE', async () => {
    const { adapter, clock, producer } = await setUp();
    const outcomes = sendAll(producer, 2);
    await settle();
    adapter.writes[0]?.answer(
      { status: 'not-sent', error: new Error('permanent') },
      { status: 'unknown', error: new Error('cut') },
    );
    await settle();
    expect(outcomes).toEqual(['NOT_FOUND']);
    await clock.advance(200);
    adapter.writes[1]?.answer({ status: 'not-sent', error: new Error('permanent') });
    await settle();
    expect(outcomes).toEqual(['NOT_FOUND', 'INDETERMINATE']);
  });

  test('at the deadline: TIMEOUT for what was never written, INDETERMINATE for what was', async () => {
    const { adapter, clock, producer } = await setUp({ sendTimeoutMs: 1_000 });
    adapter.limits = { writes: 1, records: 1, bytes: 10_000 };
    const outcomes = sendAll(producer, 2);
    await clock.advance(2_000);
    expect([...outcomes].sort()).toEqual(['INDETERMINATE', 'TIMEOUT']);
    adapter.writes[0]?.store();
    await settle();
    expect(adapter.writes).toHaveLength(1);
  });

  test('a write that rejects, against the contract, leaves its records unknown', async () => {
    const { adapter, clock, producer } = await setUp({ sendTimeoutMs: 500 });
    adapter.openSender = async () => ({
      limits: adapter.limits,
      laneOf: () => 0,
      write: () => Promise.reject(new Error('broken adapter')),
      close: async () => {},
    });
    const outcomes = sendAll(producer, 1);
    await clock.advance(1_500);
    expect(outcomes).toEqual(['INDETERMINATE']);
  });

  test('a full buffer makes sends wait, in order, and lets them in as outcomes come', async () => {
    const { adapter, producer } = await setUp({ maxBuffered: 2 });
    const outcomes = sendAll(producer, 5);
    await settle();
    expect(adapter.writes.map(ids)).toEqual([['m0', 'm1']]);
    adapter.writes[0]?.store();
    await settle();
    expect(adapter.writes.map(ids).slice(1)).toEqual([['m2', 'm3']]);
    adapter.writes[1]?.store();
    await settle();
    adapter.writes[2]?.store();
    await settle();
    expect(outcomes).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });

  test('an aborted signal ends the waiting: ABORTED before a write, INDETERMINATE during one', async () => {
    const { adapter, producer } = await setUp();
    adapter.limits = { writes: 1, records: 1, bytes: 10_000 };
    const abort = new AbortController();
    const outcomes = sendAll(producer, 2, { signal: abort.signal });
    await settle();
    abort.abort();
    await settle();
    expect([...outcomes].sort()).toEqual(['ABORTED', 'INDETERMINATE']);
    await expect(producer.send(topic, { n: 1 }, { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('flush waits for the sends before it and for none after it', async () => {
    const { adapter, producer } = await setUp();
    sendAll(producer, 1);
    await settle();
    let flushed = false;
    producer.flush().then(() => {
      flushed = true;
    });
    sendAll(producer, 1);
    await settle();
    expect(flushed).toBe(false);
    adapter.writes[0]?.store();
    await settle();
    expect(flushed).toBe(true);
  });

  test('close takes no more sends, waits for those under way and leaves no timer', async () => {
    const { adapter, clock, messaging, producer } = await setUp();
    const outcomes = sendAll(producer, 1);
    await settle();
    const closed = producer.close().then(() => messaging.close());
    await expect(producer.send(topic, { n: 1 })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(adapter.closed).toBe(0);
    adapter.writes[0]?.store();
    await closed;
    expect(outcomes).toEqual(['m0']);
    expect(adapter.closed).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('an asynchronous schema keeps the order of the calls', async () => {
    const { adapter, producer } = await setUp();
    const gates: (() => void)[] = [];
    const schema = z.object({ n: z.number() }).refine(async ({ n }) => {
      if (n === 0) await new Promise<void>((resolve) => gates.push(resolve));
      return true;
    });
    const slow = defineTopic('slow', { schema });
    for (const n of [0, 1, 2]) producer.send(slow, { n }, { id: `m${n}` }).catch(() => {});
    await settle();
    expect(adapter.writes).toEqual([]);
    for (const open of gates) open();
    await settle();
    expect(adapter.writes.flatMap(ids)).toEqual(['m0', 'm1', 'm2']);
  });

  test('sendBatch reports each item and sends the good ones', async () => {
    const { adapter, producer } = await setUp();
    const receipt = producer.sendBatch(topic, [{ value: { n: 1 }, id: 'good' }, { value: { n: 'x' as never } }]);
    await settle();
    adapter.writes[0]?.store();
    const { results, failed } = await receipt;
    expect(failed).toBe(1);
    expect(results.map(({ status }) => status)).toEqual(['sent', 'failed']);
    expect(results[1]).toMatchObject({ error: { code: 'INVALID_VALUE' } });
  });

  test.each([
    ['a value the schema refuses', { n: 'x' }, {}, 'INVALID_VALUE'],
    ['an unknown option', { n: 1 }, { delay: 5 }, 'INVALID_ARGUMENT'],
    ['a key on a topic without one', { n: 1 }, { key: 'k' }, 'INVALID_ARGUMENT'],
    ['an id with a space', { n: 1 }, { id: 'a b' }, 'INVALID_ARGUMENT'],
    ['a header that is no string', { n: 1 }, { headers: { a: 1 } }, 'INVALID_ARGUMENT'],
    ['a reserved header', { n: 1 }, { headers: { 'anymq-id': 'x' } }, 'INVALID_ARGUMENT'],
    ['headers above the limit', { n: 1 }, { headers: { a: 'x'.repeat(200) } }, 'TOO_LARGE'],
    ['a time-out of 0', { n: 1 }, { timeoutMs: 0 }, 'INVALID_ARGUMENT'],
  ])('refuses %s before the network', async (_what, value, options, code) => {
    const { adapter, producer } = await setUp();
    await expect(producer.send(topic, value as never, options as never)).rejects.toMatchObject({ code });
    expect(adapter.runtime).toBeDefined();
    expect(adapter.writes).toEqual([]);
  });
});
