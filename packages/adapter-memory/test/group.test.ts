import { describe, expect, test } from '@jest/globals';
import { seededScheduler, virtualClock } from '../src/index.js';
import { FakeConsumer } from './support/fake-consumer.js';
import { keyed, processOn, receiverSpec, record, send, settled, world } from './support/process.js';

describe('a group', () => {
  test('two groups each get everything, once and in order per key', async () => {
    const { clock, process } = await world();
    const consumers = [];
    for (const group of ['a', 'b'])
      consumers.push(await new FakeConsumer(group).join(process, receiverSpec({ group })));
    await send(process, keyed(100));
    await settled(clock);
    for (const { ids, waiting } of consumers) {
      expect([...ids].sort()).toEqual(
        keyed(100)
          .map(({ id }) => id)
          .sort(),
      );
      for (const key of new Set(waiting.map((record) => record.key))) {
        const numbers = waiting.filter((record) => record.key === key).map(({ id }) => Number(id.slice(1)));
        expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
      }
      expect(waiting.every(({ redelivered, attempts }) => !redelivered && attempts === 0)).toBe(true);
    }
  });

  test('members share the partitions evenly, and a surplus member waits for one', async () => {
    const { clock, process } = await world({ partitions: 3 });
    const members = [];
    for (const name of ['a', 'b', 'c', 'd']) members.push(await new FakeConsumer(name).join(process, receiverSpec()));
    await settled(clock);
    expect(members.map(({ owned }) => owned.length)).toEqual([1, 1, 1, 0]);
    await members[0]?.close();
    await settled(clock);
    expect(members[3]?.owned).toHaveLength(1);
  });

  test('members of two processes on one broker share; another namespace is another world', async () => {
    const { clock, broker, process } = await world();
    const other = await processOn(broker, clock);
    const foreign = await processOn(broker, clock, 'foreign');
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    const b = await new FakeConsumer('b').join(other, receiverSpec());
    const c = await new FakeConsumer('c').join(foreign, receiverSpec());
    await send(process, keyed(100));
    await settled(clock);
    expect(a.waiting.length + b.waiting.length).toBe(100);
    expect([a.owned.length, b.owned.length, c.owned.length, c.waiting.length]).toEqual([4, 4, 8, 0]);
  });

  test('what a member leaves unsettled goes to the others at once, in order, and only that', async () => {
    const { clock, process } = await world({ partitions: 1 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    await send(process, keyed(6));
    await settled(clock);
    a.settle(({ id }) => id === 'm0' || id === 'm3');
    a.receiver?.hold(a.waiting[0] as never, 2);
    await a.close();
    await settled(clock);
    expect(b.ids).toEqual(['m1', 'm2', 'm4', 'm5']);
    expect(b.waiting.map(({ redelivered }) => redelivered)).toEqual([true, true, true, true]);
    expect(b.waiting.map(({ attempts }) => attempts)).toEqual([2, 0, 0, 0]);
    await send(process, [record('m6', 'k0')]);
    await settled(clock);
    expect(b.waiting.at(-1)).toMatchObject({ id: 'm6', redelivered: false });
  });

  test('a group resumes where it stood, with nobody there for a while', async () => {
    const { clock, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(10));
    await settled(clock);
    a.settle();
    await a.close();
    await send(process, [record('later', 'k')]);
    const b = await new FakeConsumer('b').join(process, receiverSpec({ startFrom: 'latest' }));
    await settled(clock);
    expect(b.ids).toEqual(['later']);
    expect(b.waiting[0]?.redelivered).toBe(false);
  });

  test('start positions: earliest has the backlog, latest only what is sent after the join', async () => {
    const { clock, process } = await world();
    await send(process, keyed(10));
    const early = await new FakeConsumer('early').join(process, receiverSpec({ group: 'early' }));
    const late = await new FakeConsumer('late').join(process, receiverSpec({ group: 'late', startFrom: 'latest' }));
    await send(process, [record('new', 'k')]);
    await settled(clock);
    expect(early.waiting).toHaveLength(11);
    expect(late.ids).toEqual(['new']);
  });

  test('never hands over more than the credit', async () => {
    const { clock, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec(), 7);
    await send(process, keyed(50));
    await settled(clock);
    expect(a.waiting).toHaveLength(7);
    a.settle(({ id }) => id === a.waiting[0]?.id);
    await settled(clock);
    expect(a.waiting).toHaveLength(7);
    a.receiver?.credit(10, Number.POSITIVE_INFINITY);
    await settled(clock);
    expect(a.waiting).toHaveLength(17);
    a.settle(({ id }) => id === a.waiting[0]?.id);
    await settled(clock);
    expect(a.waiting).toHaveLength(17);
  });

  test('lag is exact', async () => {
    const { clock, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(50));
    await settled(clock);
    expect(await a.receiver?.lag()).toBe(50);
    a.settle(({ id }) => Number(id.slice(1)) % 2 === 1);
    expect(await a.receiver?.lag()).toBe(25);
    a.settle();
    expect(await a.receiver?.lag()).toBe(0);
  });
});

describe('a rebalance', () => {
  test('gives every partition one owner, in whatever order overlapping joins and leaves are worked on', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const { clock, process } = await world({ schedule: seededScheduler(seed) });
      const members = ['a', 'b', 'c', 'd'].map((name) => new FakeConsumer(name));
      await Promise.all(members.map((member) => member.join(process, receiverSpec())));
      await members.pop()?.close();
      await settled(clock);
      const owned = members.flatMap((member) => member.owned);
      expect({ seed, owned: owned.length, different: new Set(owned).size }).toEqual({ seed, owned: 8, different: 8 });
    }
  });

  test('a partition moves only after its member has drained', async () => {
    const { clock, process } = await world({ partitions: 2 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(40));
    await settled(clock);
    a.obliging = false;
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    await settled(clock);
    expect([a.owned.length, b.owned.length, b.waiting.length]).toEqual([1, 0, 0]);
    const moving = a.sources.find(({ state }) => state === 'draining');
    const settledIds = a
      .settle(({ source }) => source === moving)
      .slice(0, 5)
      .map(({ id }) => id);
    moving?.finishDrain();
    await settled(clock);
    expect(b.owned).toEqual([moving?.name]);
    expect(b.ids.filter((id) => settledIds.includes(id))).toEqual([]);
  });

  test('a member that does not finish in time loses the partition, and its settlements are refused', async () => {
    const { clock, process } = await world({ partitions: 2, drainTimeoutMs: 5_000 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(40));
    await settled(clock);
    const before = [...a.waiting];
    a.obliging = false;
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    await clock.advanceAsync(4_999);
    expect(b.owned).toEqual([]);
    await clock.advanceAsync(1);
    expect(a.sources.map(({ state }) => state).sort()).toEqual(['lost', 'owned']);
    expect(b.waiting.length).toBeGreaterThan(0);
    const lag = await b.receiver?.lag();
    a.receiver?.settle(before.filter(({ source }) => (source as { state?: string }).state === 'lost'));
    expect(await b.receiver?.lag()).toBe(lag);
  });

  test('a join that ends while partitions still move leaves nothing without an owner', async () => {
    const { clock, process } = await world({ partitions: 4 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await settled(clock);
    a.obliging = false;
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    await settled(clock);
    await b.close();
    for (const source of a.sources) if (source.state === 'draining') source.finishDrain();
    await settled(clock);
    expect(a.owned).toHaveLength(4);
  });
});

describe('a lease', () => {
  test('runs out for a process that stands still: others get its messages, it is refused and joins again', async () => {
    const { clock, broker, process } = await world({ partitions: 2, leaseMs: 9_000 });
    const frozenClock = virtualClock();
    const frozen = await new FakeConsumer('frozen').join(await processOn(broker, frozenClock), receiverSpec());
    const healthy = await new FakeConsumer('healthy').join(process, receiverSpec());
    await send(process, keyed(20));
    await settled(clock);
    const held = frozen.waiting.length;
    expect(held).toBeGreaterThan(0);
    await clock.advanceAsync(8_999);
    expect(healthy.waiting).toHaveLength(20 - held);
    await clock.advanceAsync(1);
    expect(healthy.waiting).toHaveLength(20);
    expect(healthy.waiting.filter(({ redelivered }) => redelivered)).toHaveLength(held);

    frozen.settle();
    expect(await healthy.receiver?.lag()).toBe(20);
    await frozenClock.advanceAsync(3_000);
    expect(frozen.sources[0]?.state).toBe('lost');
    await settled(clock);
    expect([frozen.owned.length, healthy.owned.length]).toEqual([1, 1]);
  });

  test('holds for a process that is alive, however long nothing happens', async () => {
    const { clock, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(5));
    await clock.advanceAsync(3_600_000);
    expect(a.sources.every(({ state }) => state === 'owned')).toBe(true);
    expect(a.waiting).toHaveLength(5);
  });
});

describe('timers', () => {
  test('there are none without members, and none after close', async () => {
    const { clock, process } = await world();
    await send(process, keyed(10));
    expect(clock.timers).toBe(0);
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    expect(clock.timers).toBeGreaterThan(0);
    await settled(clock);
    await a.close();
    await b.close();
    await b.close();
    expect(clock.timers).toBe(0);
    await process.close();
  });

  test('an adapter that is closed with receivers open leaves none, even in the middle of a drain', async () => {
    const { clock, broker, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await settled(clock);
    a.obliging = false;
    const b = await new FakeConsumer('b').join(await processOn(broker, clock), receiverSpec());
    await settled(clock);
    await process.close();
    await settled(clock);
    expect(b.owned).toHaveLength(8);
    await b.close();
    expect(clock.timers).toBe(0);
  });
});
