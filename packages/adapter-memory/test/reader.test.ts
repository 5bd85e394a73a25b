import { describe, expect, test } from '@jest/globals';
import { FakeConsumer } from './support/fake-consumer.js';
import { FakeReader } from './support/fake-reader.js';
import { keyed, processOn, receiverSpec, record, send, settled, topicSpec, world } from './support/process.js';

const line = topicSpec({ name: 'line', oneLane: true });
const ledger = topicSpec({ name: 'ledger', oneLane: true, retention: 'last-of-key' });
const idsOf = (count: number): string[] => keyed(count).map(({ id }) => id);

describe('a reader', () => {
  test('from the earliest reads what is kept and then what comes, in the order of one lane', async () => {
    const { clock, process } = await world();
    await send(process, keyed(30), line);
    const reader = await new FakeReader().open(process, line);
    await settled(clock);
    expect(reader.ids).toEqual(idsOf(30));
    await send(process, [record('next', 'k', { headers: { a: 'b' } })], line);
    await settled(clock);
    expect(reader.records.at(-1)).toEqual({
      position: '0:30',
      id: 'next',
      key: 'k',
      body: new Uint8Array([1, 2, 3]),
      headers: { a: 'b' },
      time: 5,
      type: 'orders',
      contentType: 'application/json',
    });
  });

  test('from the latest reads what is sent after it was open, over all lanes', async () => {
    const { clock, process } = await world();
    await send(process, keyed(10));
    const reader = await new FakeReader().open(process, topicSpec(), 'latest');
    await send(process, keyed(40).slice(10));
    await settled(clock);
    expect(reader.ids.sort()).toEqual(idsOf(40).slice(10).sort());
  });

  test('consumes nothing and is no member', async () => {
    const { clock, process } = await world();
    await send(process, keyed(20));
    const reader = await new FakeReader().open(process, topicSpec());
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await settled(clock);
    expect([reader.records.length, a.waiting.length]).toEqual([20, 20]);
    await a.close();
    await reader.reader?.close();
    expect(await process.groups('orders')).toEqual([{ group: 'g', members: 0, lag: 20, inFlight: 0 }]);
  });

  test('gets no more while its sink is busy, and nothing once it has closed', async () => {
    const { clock, process } = await world();
    const reader = await new FakeReader().open(process, line);
    const resume = reader.pause();
    await send(process, keyed(1), line);
    await settled(clock);
    await send(process, keyed(50).slice(1), line);
    await settled(clock);
    expect(reader.batches).toEqual([1]);
    resume();
    await settled(clock);
    expect(reader.batches).toEqual([1, 49]);
    await reader.reader?.close();
    await reader.reader?.close();
    await send(process, [record('late', 'k')], line);
    await settled(clock);
    expect(reader.ids).not.toContain('late');
  });

  test('reads in batches of at most 1,000 records and about 1 MiB, but a larger record all the same', async () => {
    const { clock, process } = await world();
    const body = new Uint8Array(700_000);
    const small = Array.from({ length: 1_500 }, (_, i) => record(`s${i}`, 'k'));
    const large = [record('l0', 'k', { body }), record('l1', 'k', { body: new Uint8Array(2_000_000) })];
    await send(process, [...small, ...large, record('end', 'k', { body })], line);
    const reader = await new FakeReader().open(process, line);
    await settled(clock);
    expect(reader.batches).toEqual([1_000, 501, 1, 1]);
    expect(reader.ids.at(-1)).toBe('end');
  });

  test('goes on where it stood after its way was cut: nothing is left out or repeated', async () => {
    const { clock, broker, process } = await world();
    const way = broker.way();
    const cut = await processOn(way, clock);
    const reader = await new FakeReader().open(cut, line);
    await send(process, keyed(10), line);
    await settled(clock);
    way.setAvailability('unavailable');
    await send(process, keyed(20).slice(10), line);
    await settled(clock);
    expect(reader.ids).toEqual(idsOf(10));
    way.setAvailability('up');
    await settled(clock);
    expect(reader.ids).toEqual(idsOf(20));
  });

  test('of a topic without history sees what groups have settled before it could read', async () => {
    const { clock, broker, process } = await world();
    const topic = topicSpec({ history: 'none' });
    const a = await new FakeConsumer('a').join(process, receiverSpec({ topic }));
    const reader = await new FakeReader().open(process, topic, 'latest');
    const resume = reader.pause();
    await send(process, [record('first', 'k')], topic);
    await settled(clock);
    await send(process, keyed(20), topic);
    await settled(clock);
    a.settle();
    resume();
    await settled(clock);
    expect(reader.ids.sort()).toEqual(['first', ...idsOf(20)].sort());
    expect(broker.messages('test.orders')).toEqual([]);
  });

  test('leaves no timer', async () => {
    const { clock, process } = await world();
    const reader = await new FakeReader().open(process, line);
    await reader.reader?.close();
    expect(clock.timers).toBe(0);
  });
});

describe('a ledger', () => {
  test('keeps the last record of each key beyond every bound, and of what is superseded nothing', async () => {
    const { clock, broker, process, warnings } = await world({
      historyMaxMessages: 1,
      historyMaxBytes: 0,
      backlogMaxBytes: 1,
    });
    const rounds = Array.from({ length: 20 }, (_, round) => keyed(16).map((r) => ({ ...r, id: `${round}.${r.id}` })));
    await send(process, rounds.flat(), ledger);
    const last = (rounds.at(-1) ?? []).map(({ id }) => id);
    expect(broker.messages('test.ledger').map(({ id }) => id)).toEqual(last);
    const reader = await new FakeReader().open(process, ledger);
    await settled(clock);
    expect([reader.ids, reader.records.at(0)?.position, warnings]).toEqual([last, '0:304', []]);
  });

  test('keeps what its group has yet to settle; a group that comes late steps over the holes', async () => {
    const { clock, broker, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec({ topic: ledger }));
    await send(process, [record('1', 'x'), record('2', 'y'), record('3', 'x'), record('4', 'z')], ledger);
    await settled(clock);
    expect([a.ids, broker.messages('test.ledger').length]).toEqual([['1', '2', '3', '4'], 4]);
    a.settle();
    expect(broker.messages('test.ledger').map(({ id }) => id)).toEqual(['2', '3', '4']);
    await send(process, [record('5', 'y'), record('6', 'z')], ledger);
    await settled(clock);
    a.settle();
    const late = await new FakeConsumer('late').join(process, receiverSpec({ topic: ledger, group: 'late' }));
    await settled(clock);
    expect(late.ids).toEqual(['3', '5', '6']);
    late.settle();
    expect(await late.receiver?.lag()).toBe(0);
  });
});

describe('what people ask', () => {
  test('exists creates nothing, and tells when somebody has', async () => {
    const { broker, process } = await world();
    expect(await process.exists(line)).toBe(false);
    expect(broker.topics()).toEqual([]);
    await process.openSender(line);
    expect(await process.exists(line)).toBe(true);
  });

  test('topics are those of the namespace, by their own names', async () => {
    const { clock, broker, process } = await world();
    const other = await processOn(broker, clock, 'other');
    await other.openSender(topicSpec({ name: 'not-ours' }));
    await process.openSender(line);
    await process.openSender(topicSpec());
    expect(await process.topics()).toEqual(['line', 'orders']);
  });

  test('groups tell their members, their lag, and what of it is with a member', async () => {
    const { clock, process } = await world();
    await send(process, keyed(10));
    const a = await new FakeConsumer('a').join(process, receiverSpec(), 6);
    await new FakeConsumer('b').join(process, receiverSpec({ group: 'h' }), 0);
    await settled(clock);
    a.settle(({ id }) => id === a.ids[1]);
    await settled(clock);
    expect(await process.groups('orders')).toEqual([
      { group: 'g', members: 1, lag: 9, inFlight: 6 },
      { group: 'h', members: 1, lag: 10, inFlight: 0 },
    ]);
    await expect(process.groups('nothing')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: "There is no topic 'nothing'; there are: orders.",
    });
  });

  test('a topic that stands otherwise is a conflict: lanes and retention count', async () => {
    const { process } = await world();
    await process.openSender(line);
    const many = process.openSender(topicSpec({ name: 'line' }));
    await expect(many).rejects.toThrow(/exists as keyed with history 'full', in one lane, asked was keyed/);
    const kept = process.openSender({ ...line, retention: 'last-of-key' });
    await expect(kept).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('a topic of one lane has one owner at a time', async () => {
    const { clock, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec({ topic: line }));
    const b = await new FakeConsumer('b').join(process, receiverSpec({ topic: line }));
    await settled(clock);
    expect([...a.owned, ...b.owned]).toEqual(['test.line/0']);
  });
});
