import type { TopicSpec } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import { removeTopic } from './support/broker.js';
import { type Handled, TestConsumer, verdict } from './support/consumer.js';
import { topicSpec, uniqueNamespace, until } from './support/runtime.js';
import { connected, groupSpec, numbered, sendAll, type TestAdapter } from './support/setup.js';

const KEYS = 64;

describe('members of a group', () => {
  const namespace = uniqueNamespace();
  const adapters: TestAdapter[] = [];
  const adapter = async (): Promise<TestAdapter> => {
    const made = await connected(namespace);
    adapters.push(made);
    return made;
  };

  const topics: [topic: string, group: string][] = [];
  const topicFor = (name: string, group: string): TopicSpec => {
    topics.push([name, group]);
    return topicSpec(name);
  };

  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((each) => each.close()));
    for (const [topic, group] of topics.splice(0)) await removeTopic(namespace, topic, [group]);
  });

  test('share the buckets as they come and go: nothing lost, doubled, overlapping or out of order', async () => {
    const topic = topicFor('balance', 'balance');
    const log: Handled[] = [];
    const running = new Map<string, number>();
    let overlaps = 0;
    const handler = async ({ key = '' }: { key: string | undefined }): Promise<boolean> => {
      const others = running.get(key) ?? 0;
      if (others > 0) overlaps += 1;
      running.set(key, others + 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running.set(key, (running.get(key) ?? 1) - 1);
      return true;
    };
    const join = async (member: string): Promise<TestConsumer> =>
      new TestConsumer({ member, log, handler }).start(await adapter(), groupSpec(topic, 'balance'));

    const sender = await (await adapter()).openSender(topic);
    const records = numbered('m', 12_000, KEYS);
    let sent = 0;
    let stop = false;
    const publishing = (async () => {
      while (!stop && sent < records.length) {
        await sendAll(sender, records.slice(sent, sent + 20));
        sent += 20;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    /** Who handles how many of the keys, looking at the newest messages only. */
    const shares = (): number[] => {
      const owner = new Map(log.slice(-300).map(({ key, member }) => [key, member]));
      const counts = new Map<string, number>();
      for (const member of owner.values()) counts.set(member, (counts.get(member) ?? 0) + 1);
      return [...counts.values()].sort((x, y) => x - y);
    };
    const shared = (members: number, what: string): Promise<void> =>
      until(() => shares().length === members && (shares()[0] ?? 0) > KEYS / members / 3, what);

    const a = await join('a');
    await shared(1, 'one has all');
    const b = await join('b');
    await shared(2, 'two share');
    const c = await join('c');
    await shared(3, 'three share');
    await b.stop();
    await shared(2, 'two share again');
    await a.stop();
    await shared(1, 'the last one has all');
    stop = true;
    await publishing;
    await until(() => log.length >= sent, 'everything handled');
    await until(async () => (await c.receiver.lag()) === 0, 'nothing left');
    await c.stop();
    expect({ ...verdict(log), overlaps }).toEqual({ distinct: sent, duplicates: 0, orderBreaks: 0, overlaps: 0 });
    expect([...a.failures, ...b.failures, ...c.failures]).toEqual([]);
  }, 60_000);
});
