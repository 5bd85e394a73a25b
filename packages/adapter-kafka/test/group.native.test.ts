import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Adapter, IncomingRecord } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import type { KafkaNative } from '../src/index.js';
import { Events, eventually, FakeConsumer, outgoing, topicSpec, unique } from './support/harness.js';
import { byNumber, ids, numbered, Setup } from './support/setup.js';

const setup = new Setup();

describe('the group', () => {
  test('three members that come and go under load: nothing lost, repeated or overlapping, in order of each key', async () => {
    const topic = topicSpec();
    const group = unique('g');
    let count = 0;
    const events = new Events();
    const handled: { key: string; id: number; by: string }[] = [];
    const active = new Map<string, string>();
    const overlaps: string[] = [];
    const handle =
      (by: string) =>
      async (record: IncomingRecord, consumer: FakeConsumer): Promise<void> => {
        const key = String(record.key);
        if (active.has(key)) overlaps.push(key);
        active.set(key, by);
        await new Promise((resolve) => setTimeout(resolve, 5));
        active.delete(key);
        handled.push({ key, id: Number(record.id), by });
        consumer.settle(record);
      };
    const join = (by: string, on: Adapter<KafkaNative>): Promise<FakeConsumer> =>
      new FakeConsumer(handle(by), events).open(on, { topic, group }, 100);
    const first = await join('a', setup.adapter);
    const sendMore = async (): Promise<void> => {
      const records = Array.from({ length: 250 }, () => {
        count += 1;
        return outgoing(topic, { id: `${count}`, key: `k${count % 40}` });
      });
      await setup.sendAll(topic, records);
    };
    /** Keeps a backlog until `done`. */
    const underLoad = async (done: () => boolean, what: string): Promise<void> => {
      while (!done()) {
        await sendMore();
        await events.until(() => done() || handled.length > count - 200, what);
      }
    };
    const handledBy = (by: string): number => handled.filter((each) => each.by === by).length;
    await underLoad(() => handledBy('a') > 200, 'the first at work');
    const joining = join('b', await setup.another());
    await underLoad(() => handledBy('b') > 200, 'the second at work');
    const second = await joining;
    const third = await join('c', await setup.another());
    await underLoad(() => handledBy('c') > 200, 'the third at work');
    const leaving = first.close();
    const before = handled.length;
    await underLoad(() => handled.length > before + 500, 'two at work');
    await leaving;
    await events.until(() => handled.length >= count, 'all handled');
    await second.close();
    await third.close();
    expect(handled.length).toBe(count);
    expect(new Set(handled.map(({ id }) => id)).size).toBe(count);
    expect(overlaps).toEqual([]);
    const last = new Map<string, number>();
    for (const { key, id } of handled) {
      expect(id).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, id);
    }
    expect([...first.failures, ...second.failures, ...third.failures]).toEqual([]);
  });

  test('a member that waits gets everything at once when the other leaves, in order, with nothing that was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.sendAll(topic, numbered(topic, 50, 1));
    const settled = new Set<string>();
    const first = await new FakeConsumer((record, consumer) => {
      if (Number(record.id) % 2 === 1) return;
      settled.add(record.id);
      consumer.settle(record);
    }).open(setup.adapter, { topic, group });
    await first.events.until(() => first.records.length === 50, 'all delivered');
    const second = await setup.consuming(topic, group, {}, await setup.another());
    // The hand-over happened with the join: the odd ones are the next owner's, whoever that is.
    const before = first.records.length;
    const closed = Date.now();
    await first.close();
    const rest = (): string[] => [...ids(first.records.slice(50)), ...ids(second.records)];
    await second.events.until(() => new Set([...ids(second.records), ...[...settled]]).size === 50, 'the rest');
    expect(Date.now() - closed).toBeLessThan(5_000);
    expect(rest().filter((id) => settled.has(id))).toEqual([]);
    expect(ids(second.records)).toEqual([...ids(second.records)].sort(byNumber));
    expect(second.records.every((record) => record.redelivered)).toBe(true);
    expect(before).toBeGreaterThanOrEqual(50);
  });

  test('what is finished out of order stays finished, attempts survive a close', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.sendAll(topic, numbered(topic, 100, 10));
    const first = await new FakeConsumer((record, consumer) => {
      if (Number(record.id) % 10 === 3) consumer.receiver?.hold(record, 2);
      else consumer.settle(record);
    }).open(setup.adapter, { topic, group });
    await first.events.until(() => first.records.length === 100, 'all delivered');
    expect(await first.receiver?.lag()).toBe(10);
    await first.close();
    const second = await setup.consuming(topic, group);
    await second.events.until(() => second.records.length >= 10, 'the held ones');
    expect(ids(second.records).sort(byNumber)).toEqual(Array.from({ length: 10 }, (_, i) => String(i * 10 + 3)));
    expect(second.records.every(({ attempts, redelivered }) => attempts === 2 && redelivered)).toBe(true);
    expect(await second.receiver?.lag()).toBe(0);
  });

  test('a crash: another member takes over, with the attempts, without what was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.sendAll(topic, numbered(topic, 100, 10));
    const script = fileURLToPath(new URL('./support/crash.js', import.meta.url));
    const crashing = spawn(process.execPath, [script, setup.namespace, topic.name, group, '100'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    setup.open.push(async () => crashing.kill('SIGKILL'));
    await once(crashing.stdout, 'data');
    const { admin } = setup.adapter.native;
    const id = `${setup.namespace}.${group}:${topic.name}`;
    const noted = async (): Promise<boolean> => {
      const [offsets] = await admin.fetchOffsets({ groupId: id, topics: [setup.nameOf(topic)] });
      const ends = await admin.fetchTopicOffsets(setup.nameOf(topic));
      const behind = ends.filter(
        ({ partition, high }) => offsets?.partitions.find((p) => p.partition === partition)?.offset !== high,
      );
      return behind.length === 1;
    };
    await eventually(noted, 'the positions are stored');
    crashing.kill('SIGKILL');
    const second = await setup.consuming(topic, group);
    await second.events.until(() => second.records.length >= 10, 'the held ones');
    expect(new Set(second.records.map((record) => record.key))).toEqual(new Set(['k3']));
    expect(second.records.every((record) => record.attempts === 1 && record.redelivered)).toBe(true);
  });

  test('latest is exact: what is sent after the join is delivered, what was sent before is not', async () => {
    for (let round = 0; round < 12; round++) {
      const topic = topicSpec();
      const group = unique('g');
      await setup.sendAll(topic, numbered(topic, 16, 16));
      const events = new Events();
      const others = await Promise.all([
        setup.consuming(topic, group, { startFrom: 'latest' }, setup.adapter, events),
        setup.consuming(topic, group, { startFrom: 'latest' }, setup.adapter, events),
      ]);
      await setup.sendAll(
        topic,
        Array.from({ length: 16 }, (_, i) => outgoing(topic, { id: `new-${i}`, key: `k${i}` })),
      );
      const all = (): string[] => others.flatMap((consumer) => ids(consumer.records));
      await events.until(() => all().length >= 16, `round ${round}`);
      expect(all().sort()).toEqual(Array.from({ length: 16 }, (_, i) => `new-${i}`).sort());
      await Promise.all(others.map((consumer) => consumer.close()));
    }
  }, 60_000);

  test('a position is kept from the join on, even when nothing was settled', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.sendAll(topic, numbered(topic, 5, 5));
    await (await setup.consuming(topic, group, { startFrom: 'latest' })).close();
    await setup.sendAll(topic, [outgoing(topic, { id: 'between' })]);
    const second = await setup.consuming(topic, group, { startFrom: 'latest' });
    await second.events.until(() => second.records.length > 0, 'what came between');
    expect(ids(second.records)).toEqual(['between']);
  });

  test('members that disagree: the later is refused, naming both', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.consuming(topic, group, { charter: 'a=1' });
    await expect(setup.consuming(topic, group, { charter: 'a=2' })).rejects.toThrow(/'a=1'.*'a=2'/);
  });

  test('founders that disagree: exactly one is refused', async () => {
    for (let round = 0; round < 8; round++) {
      const topic = topicSpec();
      await (await setup.adapter.openSender(topic)).close();
      const group = unique('g');
      const outcomes = await Promise.allSettled([
        setup.consuming(topic, group, { charter: 'a=1' }),
        setup.consuming(topic, group, { charter: 'a=2' }),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
  });

  test('a plain consumer cannot slip into the group', async () => {
    const topic = topicSpec();
    const group = unique('g');
    await setup.consuming(topic, group);
    const stranger = setup.plain.consumer({
      groupId: `${setup.namespace}.${group}:${topic.name}`,
      retry: { retries: 0 },
    });
    await stranger.connect();
    await stranger.subscribe({ topic: setup.nameOf(topic) });
    const crash = new Promise<string>((resolve) =>
      stranger.on('consumer.crash', ({ payload }) => resolve(payload.error.message)),
    );
    void stranger.run({ eachMessage: async () => {} });
    expect(await crash).toMatch(/protocol/i);
    await stranger.disconnect();
  });
});
