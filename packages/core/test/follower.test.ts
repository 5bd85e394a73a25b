import { describe, expect, test } from '@jest/globals';
import type { OutgoingRecord, ReaderSink, ReadRecord } from '../src/adapter/spi.js';
import { silentLogger } from '../src/logger.js';
import { Follower } from '../src/system/follower.js';
import type { System } from '../src/system/system.js';
import { ledger } from '../src/system/topics.js';
import { settle, TestClock } from './support/clock.js';

const spec = ledger('anymq.test');
const signal = new AbortController().signal;

/** A ledger in memory, and a follower of it. */
function following() {
  const clock = new TestClock();
  const log: ReadRecord[] = [];
  const open = new Set<ReaderSink>();
  const seen: string[] = [];
  const figures = { opened: 0, markers: 0, numbers: 0 };
  let lost = false;
  const write = (record: OutgoingRecord): void => {
    log.push({ ...record, position: `${log.length}` });
    for (const sink of open) void sink.read(log.slice(-1));
  };
  const adapter = {
    openReader: async (_: unknown, __: unknown, sink: ReaderSink) => {
      figures.opened += 1;
      open.add(sink);
      void sink.read([...log]);
      return { close: async () => void open.delete(sink) };
    },
  };
  const broker = {
    name: 'main',
    connect: async () => {},
    run: (operation: (given: unknown) => unknown) => operation(adapter),
    wrap: (error: unknown) => error,
    runtime: { clock, random: () => 0.5, log: silentLogger },
  };
  const post = {
    send: async (_: unknown, record: OutgoingRecord) => {
      figures.markers += 1;
      if (!lost) write(record);
    },
  };
  const number = (): number => {
    figures.numbers += 1;
    return figures.numbers;
  };
  const system = { uuid: 'we', number, track: (call: unknown) => call, broker, post } as unknown as System;
  const follower = new Follower({ system, spec, each: ({ id }) => seen.push(id), ended: signal });
  const record = (id: string) => write({ ...empty, id, key: id });
  const lose = (loses: boolean): void => {
    lost = loses;
  };
  return { follower, seen, record, open, figures, clock, lose };
}

const empty = { id: '', body: new Uint8Array(0), headers: undefined, time: 0, type: '', contentType: '' };

describe('a follower', () => {
  test('catches up with one reader, as often as it is asked', async () => {
    const { follower, seen, record, open, figures } = following();
    record('a');
    await follower.catchUp(signal);
    expect(seen).toEqual(['a']);
    record('b');
    await follower.catchUp(signal);
    expect([seen, figures.opened, figures.markers]).toEqual([['a', 'b'], 1, 2]);
    await follower.close();
    expect(open.size).toBe(0);
  });

  test('says where the marker stands before anything behind it', async () => {
    const { follower, seen, record } = following();
    record('a');
    let before: string[] = [];
    await follower.catchUp(signal, () => {
      before = [...seen];
      record('b');
    });
    expect([before, seen]).toEqual([['a'], ['a', 'b']]);
  });

  test('ends whoever waits when its reader fails, and begins anew for the next', async () => {
    const { follower, seen, record, open, figures, lose } = following();
    record('a');
    lose(true);
    const waiting = follower.catchUp(signal).catch((error: unknown) => error);
    await settle();
    for (const sink of [...open]) sink.failed(new Error('gone'));
    expect(await waiting).toMatchObject({ message: 'gone' });
    lose(false);
    await follower.catchUp(signal);
    expect([seen, figures.opened]).toEqual([['a', 'a'], 2]);
    await follower.close();
  });

  test('tells whoever waits that it is closed', async () => {
    const { follower, lose, clock } = following();
    lose(true);
    const waiting = follower.catchUp(signal).catch((error: unknown) => error);
    await settle();
    await follower.close();
    expect(await waiting).toMatchObject({ code: 'CLOSED' });
    expect(clock.timers).toBe(0);
  });

  test('sends another marker when the first was superseded, and gives up when nothing comes', async () => {
    const { follower, clock, lose, figures } = following();
    lose(true);
    const first = follower.catchUp(signal);
    await settle();
    lose(false);
    await clock.advance(500);
    await first;
    expect(figures.markers).toBe(2);
    lose(true);
    const second = follower.catchUp(signal).catch((error: unknown) => error);
    await settle();
    await clock.advance(31_000);
    expect(await second).toMatchObject({ code: 'TIMEOUT' });
    await follower.close();
    expect(clock.timers).toBe(0);
  });
});
