import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { giveUp, toldOf, worker } from './giving-up.js';

export const law16overview = law(
  16,
  ['lag'],
  [
    {
      id: 'AD10',
      title: 'topics() lists the topics of the namespace by their names, and none that AnyMQ keeps for itself',
      async run(t) {
        const [keyed, unkeyed] = [t.keyed(t.name('Upper.lower-0')), t.unkeyed()];
        const { messaging } = await worker(t, keyed);
        assert.deepEqual(await names(), [keyed.name]);
        await messaging.producer().send(unkeyed, { key: 'a', n: 1 });
        assert.deepEqual(await names(), [keyed.name, unkeyed.name].sort());
        async function names(): Promise<string[]> {
          const topics = await messaging.topics();
          assert.deepEqual([...new Set(topics.map(({ broker }) => broker))], ['main']);
          return topics.map(({ name }) => name);
        }
      },
    },
    {
      id: 'AD11',
      title:
        'groups() tells of each group of a topic what it has yet to settle and what it gave up, and of no other group',
      needs: ['groups', 'dead-letters'],
      async run(t) {
        const topic = t.keyed();
        const [here, away] = await Promise.all([
          worker(t, topic, { group: 'here', work: giveUp }),
          worker(t, topic, { group: 'away' }),
        ]);
        await worker(t, t.keyed(), { group: 'elsewhere' });
        await away.consumer.close();
        const ids = await t.send(here.messaging, topic, items(12, 4));
        await toldOf(t, here.events, 'dead-lettered', ids);
        const standing = async () => {
          const groups = await here.messaging.groups(topic.name);
          return groups.map(({ group, lag, dead }) => [group, lag, dead ?? 0]);
        };
        await t.poll(async () => (await standing())[1]?.[1] === 0, 'the group to have settled');
        assert.deepEqual(await standing(), [
          ['away', 12, 0],
          ['here', 0, 12],
        ]);
        const [absent, present] = await here.messaging.groups(topic.name);
        assert.ok([undefined, 0].includes(absent?.members), `${absent?.members} members of a group that left`);
        assert.ok([undefined, 1].includes(present?.members), `${present?.members} members in place of one`);
        await assert.rejects(here.messaging.groups(t.name('nowhere')), { code: 'NOT_FOUND' });
      },
    },
    {
      id: 'AD12',
      title: 'a process that comes later is told of the same topics, groups and dead letters, however often it asks',
      needs: ['groups', 'dead-letters'],
      async run(t) {
        const topic = t.keyed();
        const { messaging, consumer, events } = await worker(t, topic, { work: giveUp });
        await toldOf(t, events, 'dead-lettered', await t.send(messaging, topic, items(6, 2)));
        await consumer.close();
        const later = await t.messaging();
        for (let asked = 0; asked < 3; asked += 1) {
          const groups = await later.groups(topic.name);
          assert.deepEqual(
            groups.map(({ group, dead }) => [group, dead]),
            [['g', 6]],
          );
          const letters = await later.deadLetters(topic, { group: 'g' }).stats({ by: 'topic' });
          assert.deepEqual([...letters], [[topic.name, 6]]);
          assert.deepEqual(
            (await later.topics()).map(({ name }) => name),
            [topic.name],
          );
        }
      },
    },
  ],
);
