import type { TopicSpec } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import { removeTopic } from './support/broker.js';
import { type Handled, TestConsumer, verdict } from './support/consumer.js';
import { topicSpec, uniqueNamespace, until } from './support/runtime.js';
import { connected, groupSpec, numbered, sendAll, type TestAdapter } from './support/setup.js';

const PUBLISHERS = 4;

/** Slow enough that the members share the work before it is done. */
const slow = async (): Promise<boolean> => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  return true;
};

/** Some thousand messages a second over all publishers: the broker is shared. */
const pace = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

describe('a group that is new on a topic with history', () => {
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

  test.each([1, 2, 3])(
    'gets everything once and in order while four publishers go on, round %i',
    async (round) => {
      const topic = topicFor(`late${round}`, 'late');
      let joined = false;
      let stored = 0;
      // They go on until the group stands, and a little longer.
      const publish = async (index: number): Promise<void> => {
        const sender = await (await adapter()).openSender(topic);
        const records = numbered(`p${index}`, 10_000, 16);
        let end = records.length;
        for (let from = 0; from < end; from += 50) {
          await sendAll(sender, records.slice(from, from + 50));
          stored += 50;
          await pace();
          if (joined && end === records.length) end = Math.min(end, from + 300);
        }
        await sender.close();
      };
      const publishing = Promise.all(Array.from({ length: PUBLISHERS }, (_, index) => publish(index)));
      await until(() => stored > 500, 'some history');
      const log: Handled[] = [];
      const join = async (member: string): Promise<TestConsumer> =>
        new TestConsumer({ member, log, handler: slow }).start(await adapter(), groupSpec(topic, 'late'));
      const members = await Promise.all([join('a'), join('b')]);
      joined = true;
      await publishing;
      await until(() => new Set(log.map(({ id }) => id)).size === stored, 'everything handled', 30_000);
      await until(async () => (await members[0]?.receiver.lag()) === 0, 'nothing left');
      for (const member of members) await member.stop();
      expect(verdict(log)).toEqual({ distinct: stored, duplicates: 0, orderBreaks: 0 });
      expect(new Set(log.map(({ member }) => member))).toEqual(new Set(['a', 'b']));
    },
    60_000,
  );

  test('is taken over with its past half handled, by another member, in order', async () => {
    const topic = topicFor('half', 'half');
    const sender = await (await adapter()).openSender(topic);
    await sendAll(sender, numbered('m', 600, 8));
    const log: Handled[] = [];
    let budget = 150;
    const first = await new TestConsumer({ member: 'a', log, handler: () => budget-- > 0 }).start(
      await adapter(),
      groupSpec(topic, 'half', { maxInFlight: 50 }),
    );
    await sendAll(sender, numbered('n', 200, 8));
    await until(() => budget < 0, 'the budget is spent');
    await first.stop();
    const before = log.length - first.held.length;
    log.splice(0, log.length, ...log.filter(({ record }) => !first.held.includes(record)));
    const second = await new TestConsumer({ member: 'b', log }).start(await adapter(), groupSpec(topic, 'half'));
    await until(() => log.length >= 800, 'everything handled');
    await until(async () => (await second.receiver.lag()) === 0, 'nothing left');
    await second.stop();
    expect(before).toBe(150);
    expect(verdict(log)).toEqual({ distinct: 800, duplicates: 0, orderBreaks: 0 });
  }, 60_000);

  test('is set up once by members that join at the same moment', async () => {
    const topic = topicFor('together', 'together');
    const sender = await (await adapter()).openSender(topic);
    await sendAll(sender, numbered('m', 300, 8));
    const log: Handled[] = [];
    const shared = await adapter();
    const homes = [shared, shared, await adapter()];
    const members = await Promise.all(
      homes.map((home, i) => new TestConsumer({ member: `m${i}`, log }).start(home, groupSpec(topic, 'together'))),
    );
    await until(() => log.length >= 300, 'everything handled');
    for (const member of members) await member.stop();
    expect(verdict(log)).toEqual({ distinct: 300, duplicates: 0, orderBreaks: 0 });
  }, 60_000);

  test('gets everything when the first messages come while it is set up', async () => {
    const topic = topicFor('first', 'first');
    const sender = await (await adapter()).openSender(topic);
    const records = numbered('m', 1_000, 8);
    const publishing = (async () => {
      for (let from = 0; from < records.length; from += 20)
        await sendAll(sender, records.slice(from, from + 20)).then(pace);
    })();
    const consumer = await new TestConsumer().start(await adapter(), groupSpec(topic, 'first'));
    await publishing;
    await until(() => new Set(consumer.handled.map(({ id }) => id)).size === 1_000, 'everything handled');
    await until(async () => (await consumer.receiver.lag()) === 0, 'nothing left');
    await consumer.stop();
    expect(verdict(consumer.handled)).toEqual({ distinct: 1_000, duplicates: 0, orderBreaks: 0 });
  }, 30_000);

  test('begins with what comes when it asks for the latest', async () => {
    const topic = topicFor('latest', 'latest');
    const home = await adapter();
    const sender = await home.openSender(topic);
    await sendAll(sender, numbered('old', 100, 8));
    const consumer = await new TestConsumer().start(home, groupSpec(topic, 'latest', { startFrom: 'latest' }));
    await sendAll(sender, numbered('new', 100, 8));
    await until(() => consumer.handled.length >= 100, 'the new ones');
    await consumer.stop();
    expect(consumer.handled.every(({ id }) => id.startsWith('new'))).toBe(true);
  }, 30_000);

  test('refuses a member that disagrees, naming both', async () => {
    const topic = topicFor('charter', 'charter');
    const home = await adapter();
    const consumer = await new TestConsumer().start(
      home,
      groupSpec(topic, 'charter', { charter: 'startFrom=earliest' }),
    );
    const other = new TestConsumer().start(home, groupSpec(topic, 'charter', { charter: 'startFrom=latest' }));
    await expect(other).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/startFrom=latest.*startFrom=earliest/),
    });
    await consumer.stop();
  }, 30_000);
});
