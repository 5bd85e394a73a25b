import { afterEach, describe, expect, test } from '@jest/globals';
import { removeTopic } from './support/broker.js';
import { TestConsumer } from './support/consumer.js';
import { topicSpec, uniqueNamespace, until } from './support/runtime.js';
import { connected, groupSpec, numbered, sendAll, type TestAdapter } from './support/setup.js';

const adapters: TestAdapter[] = [];
const topics: [namespace: string, name: string, buckets: number][] = [];
let namespace = uniqueNamespace();

const adapter = async (options = {}): Promise<TestAdapter> => {
  const made = await connected(namespace, options);
  adapters.push(made);
  return made;
};

const topicFor = (name: string, changes: Parameters<typeof topicSpec>[1] = {}): ReturnType<typeof topicSpec> => {
  topics.push([namespace, name, changes.oneLane === true ? 1 : 16]);
  return topicSpec(name, changes);
};

afterEach(async () => {
  await Promise.all(adapters.splice(0).map((each) => each.close()));
  for (const [space, name, buckets] of topics.splice(0)) await removeTopic(space, name, ['g', 'h'], buckets);
  namespace = uniqueNamespace();
});

describe('what there is', () => {
  test('a topic exists when somebody has created it, and asking creates nothing', async () => {
    const [home, other] = [await adapter(), await adapter()];
    const topic = topicFor('made');
    expect([await home.exists(topic), await home.exists(topic)]).toEqual([false, false]);
    expect(await other.topics()).toEqual([]);
    await sendAll(await other.openSender(topic), numbered('m', 1, 1));
    await until(() => home.exists(topic), 'the topic to be known');
    await sendAll(await home.openSender(topic), numbered('n', 1, 1));
  });

  test('topics are listed by every process, those of one lane and without history too', async () => {
    const [home, other] = [await adapter(), await adapter()];
    await home.openSender(topicFor('a.b'));
    await other.openSender(topicFor('lane', { oneLane: true }));
    await other.openReader(topicFor('anymq.read'), 'earliest', { read: async () => {}, failed: () => {} });
    await new TestConsumer().start(home, groupSpec(topicFor('none', { history: 'none' }), 'g'));
    const all = ['a.b', 'anymq.read', 'lane', 'none'];
    const third = await adapter({ topology: 'check' });
    await until(async () => (await third.topics()).length === all.length, 'all are listed');
    expect(await third.topics()).toEqual(all);
    expect(await home.topics()).toEqual(all);
  });

  test('a topic that was deleted is not listed', async () => {
    const home = await adapter();
    const sender = await home.openSender(topicFor('gone'));
    await until(async () => (await home.topics()).length === 1, 'it is listed');
    await sender.close();
    await removeTopic(namespace, 'gone', []);
    expect(await home.topics()).toEqual([]);
    await expect(home.groups('gone')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('groups are told with members, lag and what is in flight, without a sign to the members', async () => {
    const [home, other] = [await adapter(), await adapter()];
    const topic = topicFor('work');
    await sendAll(await home.openSender(topic), numbered('m', 100, 8));
    const spec = groupSpec(topic, 'g', { maxInFlight: 1 });
    const slow = await new TestConsumer({ handler: () => false }).start(home, spec);
    const idle = await new TestConsumer().start(other, groupSpec(topic, 'h', { startFrom: 'latest' }));
    const ephemeral = groupSpec(topic, 'alone', { ephemeral: true, startFrom: 'latest' });
    await new TestConsumer().start(other, ephemeral);
    await idle.stop();
    await until(() => slow.handled.length > 0, 'something is handled');
    const third = await adapter();
    await until(async () => (await third.groups('work')).length === 2, 'both are listed');
    const [g, h] = await third.groups('work');
    expect(g).toMatchObject({ group: 'g', members: 1 });
    expect(g?.inFlight).toBeGreaterThan(0);
    expect(g?.lag).toBeGreaterThanOrEqual(100);
    expect(h).toEqual({ group: 'h', members: 0, lag: 0, inFlight: 0 });
    expect(slow.sources.length).toBeLessThanOrEqual(16);
    await slow.stop();
  }, 30_000);
});
