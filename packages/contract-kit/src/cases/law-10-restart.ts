import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { assertNotEarly, delay, idsOf, member, ready } from './delayed.js';
import { SLOW_MS } from './giving-up.js';

export const law10restart = law(
  10,
  ['delay'],
  [
    {
      id: 'DE4',
      title:
        'delayed messages outlive every process: others deliver them, what is overdue at once, the rest in its time',
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const { producer } = await ready(t, topic);
        const send = (prefix: string, delayMs: number) =>
          Promise.all(items(30, 10, prefix).map((one) => delay(producer, topic, one, { delayMs })));
        const sent = [...(await send('overdue', 600)), ...(await send('near', 1_900)), ...(await send('far', 3_100))];
        await t.leaveAll();
        await t.later(700);
        const { received, at, messaging } = await member(t, topic, { group: 'later' });
        await received.all(idsOf(sent));
        assertNotEarly(sent, { at });
        await t.quiet(messaging, topic, received);
      },
    },
    {
      id: 'DE14',
      title: 'during an outage delayed messages wait; when it is over all come, none of them early',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const outage = await t.outage();
        const messaging = await t.messagingOn(outage.configure());
        const { producer, topic, received, at } = await ready(t, t.keyed(), { messaging });
        const all = items(90, 15).map((one) => delay(producer, topic, one, { delayMs: 1_000 + 60 * one.n }));
        const sent = await Promise.all(all);
        await t.later(1_500);
        outage.begin();
        await t.later(2_000);
        outage.end();
        await received.all(idsOf(sent));
        assertNotEarly(sent, { at });
      },
    },
    {
      id: 'DE16',
      title: 'the process of a consumer delivers by itself what others have delayed',
      async run(t) {
        const topic = t.keyed();
        const { received, at } = await member(t, topic);
        const sender = await t.messaging();
        const sent = await Promise.all(
          items(20, 10).map((one) => delay(sender.producer(), topic, one, { delayMs: 1_200 + 100 * one.n })),
        );
        await sender.close();
        await received.all(idsOf(sent));
        assertNotEarly(sent, { at });
      },
    },
    {
      id: 'DE19',
      title: 'a process that leaves in the middle of their delivery takes no delayed message along, and repeats none',
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const { received, at, messaging } = await member(t, topic);
        const leaving = await t.messaging();
        const producer = leaving.producer();
        const sent = await Promise.all(
          items(150, 15).map((one) => delay(producer, topic, one, { delayMs: 1_500 + 15 * one.n })),
        );
        await t.until(() => received.calls.length >= 40, 'forty of them');
        await leaving.close();
        await received.all(idsOf(sent));
        await t.quiet(messaging, topic, received);
        assertNotEarly(sent, { at });
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);
