import assert from 'node:assert/strict';
import { codeOf, fixed, steps } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';
import {
  givenUp,
  giveUp,
  lettersOf,
  listed,
  messageIds,
  refusing,
  SLOW_MS,
  told,
  toldOf,
  unsettling,
  worker,
} from './giving-up.js';

export const law08keeping = law(
  8,
  ['at-least-once', 'redelivery', 'dead-letters'],
  [
    {
      id: 'DL17',
      title: 'letters outlive every process that had to do with them: another one reads the same',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(30, 6));
        const messaging = await t.messaging();
        const before = await listed(messaging.deadLetters(topic, { group: 'g' }));
        await messaging.close();
        const after = await listed(await lettersOf(t, topic));
        assert.deepEqual(after, before);
        assert.deepEqual(messageIds(after).sort(), [...ids].sort());
      },
    },
    {
      id: 'DL23',
      title: 'letters outlive an outage: what is given up during one is a letter when it is over, and none is missing',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const outage = await t.outage();
        const gate = t.gate();
        const received = t.received();
        const { events } = await worker(t, topic, {
          adapter: outage.configure(),
          received,
          work: async (delivery) => {
            if (delivery.key?.startsWith('late')) await gate.opened;
            giveUp(delivery);
          },
        });
        const direct = await t.messaging();
        const before = await t.send(direct, topic, items(10, 5, 'early'));
        await toldOf(t, events, 'dead-lettered', before);
        const during = await t.send(direct, topic, items(5, 5, 'late'));
        await t.until(() => during.every((id) => received.of(id).length > 0), 'handlers to run');
        outage.begin();
        await t.until(() => told(events, 'connection').at(-1)?.state === 'down', 'the outage to be told');
        gate.open();
        outage.end();
        const letters = await lettersOf(t, topic);
        await t.poll(async () => (await listed(letters)).length >= 15, 'fifteen letters');
        assert.deepEqual(messageIds(await listed(letters)).sort(), [...before, ...during].sort());
      },
    },
    {
      id: 'DL19',
      title: 'a kept letter that cannot be written leaves its message unsettled and says so; later it is written, once',
      async run(t) {
        const topic = t.keyed();
        let refused = true;
        const adapter = refusing(t.configure(), 'anymq.dead.', () => refused);
        const { messaging, subscription, received, events } = await worker(t, topic, { adapter, work: giveUp });
        const ids = await t.send(messaging, topic, items(4, 4, 'poison'));
        await toldOf(t, events, 'dead-letter-failed', ids);
        await t.until(() => told(events, 'dead-letter-failed').length >= 8, 'it to be tried again');
        const [event] = told(events, 'dead-letter-failed');
        assert.deepEqual([event?.topic, event?.group, codeOf(event?.error)], [topic.name, 'g', 'UNAUTHORISED']);
        assert.deepEqual([subscription.inFlight, told(events, 'dead-lettered').length], [4, 0]);
        await t.quiet(messaging, topic, received);
        refused = false;
        await toldOf(t, events, 'dead-lettered', ids);
        await t.poll(async () => (await subscription.lag()) === 0, 'the messages to be settled');
        assert.deepEqual(messageIds(await listed(await lettersOf(t, topic))).sort(), [...ids].sort());
        for (const id of ids) assert.equal(received.of(id).length, 1, 'no call while its letter is written');
      },
    },
    {
      id: 'DL24',
      title: 'where nothing may be created a letter without a place leaves its message unsettled and says NOT_FOUND',
      needs: ['given-topology'],
      async run(t) {
        const topic = t.keyed();
        await (await t.member('g', topic, t.received())).close();
        const checked = await worker(t, topic, { adapter: t.checking(), work: giveUp });
        const [id = ''] = await t.send(await t.messaging(), topic, [{ key: 'poison', n: 1 }]);
        await t.until(() => told(checked.events, 'dead-letter-failed').length >= 2, 'two tries that fail');
        const [event] = told(checked.events, 'dead-letter-failed');
        assert.deepEqual([event?.id, codeOf(event?.error)], [id, 'NOT_FOUND']);
        assert.equal(checked.subscription.inFlight, 1);
        await checked.consumer.close();
        const creating = await worker(t, topic, { work: giveUp });
        await toldOf(t, creating.events, 'dead-lettered', [id]);
        assert.deepEqual(messageIds(await listed(await lettersOf(t, topic))), [id]);
      },
    },
    {
      id: 'DL20',
      title: 'given up twice, because its settlement was lost with its consumer, a message is one letter all the same',
      async run(t) {
        const topic = t.keyed();
        const before = await worker(t, topic, { adapter: unsettling(t.configure(), topic), work: giveUp });
        const ids = await t.send(before.messaging, topic, items(6, 3, 'poison'));
        await toldOf(t, before.events, 'dead-lettered', ids);
        await before.messaging.close();
        const after = await worker(t, topic, { work: giveUp });
        await toldOf(t, after.events, 'dead-lettered', ids);
        assert.deepEqual(messageIds(await listed(await lettersOf(t, topic))).sort(), [...ids].sort());
      },
    },
    {
      id: 'DL41',
      title: 'the attempts of all consumers count: maxAttempts calls, whoever made them, then one letter',
      needs: ['attempts-survive'],
      async run(t) {
        const topic = t.keyed();
        const work = ({ key }: { readonly key: string | undefined }): void => {
          if (key === 'poison') throw new Error('no');
        };
        const backoff = steps(10, 60_000);
        const before = await worker(t, topic, { work, options: { retry: { maxAttempts: 4, backoff } } });
        const [id = ''] = await t.send(before.messaging, topic, [{ key: 'poison', n: 1 }]);
        await before.received.until(2);
        await before.consumer.close();
        const after = await worker(t, topic, { work, options: { retry: { maxAttempts: 4, backoff: fixed(10) } } });
        await toldOf(t, after.events, 'dead-lettered', [id]);
        await t.quiet(after.messaging, topic, after.received);
        const attempts = [before, after].flatMap(({ received }) =>
          received.of(id).map(({ delivery }) => delivery.attempt),
        );
        assert.deepEqual(attempts, [1, 2, 3, 4]);
        const letters = await listed(await lettersOf(t, topic));
        assert.deepEqual(
          letters.map((letter) => [letter.messageId, letter.attempts]),
          [[id, 4]],
        );
      },
    },
    {
      id: 'DL25',
      title:
        'a letter that cannot be written is not lost when its consumer leaves: the next one gets the message itself',
      async run(t) {
        const topic = t.keyed();
        const adapter = refusing(t.configure(), 'anymq.dead.', () => true);
        const before = await worker(t, topic, { adapter, work: giveUp, drainTimeoutMs: 500 });
        const ids = await t.send(before.messaging, topic, items(4, 4, 'poison'));
        await toldOf(t, before.events, 'dead-letter-failed', ids);
        await before.consumer.close();
        const after = await worker(t, topic, { options: { retry: { backoff: fixed(10) } } });
        await after.received.all(ids);
        await t.quiet(after.messaging, topic, after.received);
        for (const id of ids) assert.equal(after.received.of(id).length, 1);
        assert.deepEqual(await listed(await lettersOf(t, topic)), []);
      },
    },
  ],
);
