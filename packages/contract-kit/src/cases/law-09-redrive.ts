import assert from 'node:assert/strict';
import { bytes, defineTopic } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { items } from '../context.js';
import { contentOf, givenUp, giveUp, lettersOf, listed, messageIds, toldOf, worker } from './giving-up.js';

/** Fails until it is repaired. */
function broken() {
  let repaired = false;
  return {
    work: (delivery: { readonly key: string | undefined }): void => {
      if (!repaired) giveUp(delivery);
    },
    repair: (): void => {
      repaired = true;
    },
  };
}

export const law09redrive = law(
  9,
  ['dead-letters', 'redelivery'],
  [
    {
      id: 'DL7',
      title:
        'redriven letters go to the group that gave them up and to no other, with attempt 1, and are letters no more',
      needs: ['groups'],
      async run(t) {
        const topic = t.keyed();
        const ill = [broken(), broken()] as const;
        const [one, two] = await Promise.all([
          worker(t, topic, { group: 'one', work: ill[0].work }),
          worker(t, topic, { group: 'two', work: ill[1].work }),
        ]);
        const ids = await t.send(one.messaging, topic, items(30, 6));
        const calls = ({ received }: typeof one): number[] => [...new Set(ids.map((id) => received.of(id).length))];
        for (const { events } of [one, two]) await toldOf(t, events, 'dead-lettered', ids);
        for (const [at, group] of ['two', 'one'].entries()) {
          for (const { repair } of ill) repair();
          const letters = await lettersOf(t, topic, group);
          assert.deepEqual(await letters.redrive({}), { selected: 30, redriven: 30, exhausted: 0 });
          assert.deepEqual(await listed(letters), []);
          await t.until(() => calls(at === 0 ? two : one).join() === '2', 'each to come again');
          if (at === 0) assert.deepEqual(calls(one), [1], 'another group got it');
        }
        const later = await worker(t, topic, { group: 'later' });
        const all = (sentinels: readonly string[]) =>
          Promise.all([one, two, later].map(({ received }) => received.all(sentinels))).then(() => {});
        await t.quiet(one.messaging, topic, { all });
        assert.deepEqual([one, two, later].map(calls), [[2], [2], [1]], 'another group got it');
        for (const { delivery } of one.received.calls.filter(({ delivery: { id } }) => ids.includes(id)))
          assert.equal(delivery.attempt, 1);
        for (const id of ids) assert.equal(one.received.of(id).at(-1)?.delivery.redelivered, true);
        assert.equal(one.received.mostOfKey, 1);
      },
    },
    {
      id: 'DL32',
      title: 'a redriven message has id, key, type, headers, time, position and body of the first time, bit by bit',
      async run(t) {
        const keyOf = (): string => 'ü k/\u{1f600}';
        const topic = defineTopic(t.name('raw'), { schema: z.instanceof(Uint8Array), codec: bytes(), key: keyOf });
        const { work, repair } = broken();
        const { messaging, received, events } = await worker(t, topic, { work });
        const headers = { plain: 'x', empty: '', unicode: 'ü\u{1f600}\n', 'a.b-c_d': '1' };
        const time = Date.now() - 86_400_123;
        const body = Uint8Array.from({ length: 256 }, (_, n) => n);
        await messaging.producer().send(topic, body, { id: 'one', headers, time, type: 'kind' });
        await toldOf(t, events, 'dead-lettered', ['one']);
        repair();
        await (await lettersOf(t, topic)).redrive({});
        await t.until(() => received.of('one').length === 2, 'it to come again');
        const [first, second] = received
          .of('one')
          .map(({ delivery }) => ({ ...contentOf(delivery), value: Buffer.from(delivery.value) }));
        assert.deepEqual(second, first);
        assert.deepEqual([second?.headers, second?.time, second?.key], [headers, time, keyOf()]);
        assert.deepEqual(second?.value, Buffer.from(body));
      },
    },
    {
      id: 'DL9',
      title: 'given up again a message is another letter with one cycle more, and at maxCycles it stays where it is',
      async run(t) {
        const topic = t.keyed();
        const { messaging, received, events } = await worker(t, topic, { work: giveUp });
        const [id = ''] = await t.send(messaging, topic, [{ key: 'poison', n: 1 }]);
        await toldOf(t, events, 'dead-lettered', [id]);
        const letters = await lettersOf(t, topic);
        const seen: string[] = [];
        for (let cycles = 0; cycles < 3; cycles++) {
          const found = await listed(letters);
          assert.deepEqual(
            found.map((letter) => [letter.messageId, letter.cycles, letter.attempts]),
            [[id, cycles, 1]],
          );
          seen.push(found[0]?.id ?? '');
          if (cycles === 2) break;
          assert.equal((await letters.redrive({}, { maxCycles: 2 })).redriven, 1);
          await t.until(() => received.of(id).length === cycles + 2, 'it to come again');
          await t.until(
            () => events.filter(({ type }) => type === 'dead-lettered').length === cycles + 2,
            'a new letter',
          );
        }
        assert.equal(new Set(seen).size, 3, 'each is another letter');
        assert.deepEqual(await letters.redrive({}, { maxCycles: 2 }), { selected: 1, redriven: 0, exhausted: 1 });
        await t.quiet(messaging, topic, received);
        assert.equal(received.of(id).length, 3);
        assert.equal((await listed(letters)).length, 1);
      },
    },
    {
      id: 'DL33',
      title: 'a dry run counts what would be redriven and changes nothing',
      async run(t) {
        const topic = t.keyed();
        const { work, repair } = broken();
        const { messaging, received, events } = await worker(t, topic, { work });
        const ids = await t.send(messaging, topic, items(12, 3));
        await toldOf(t, events, 'dead-lettered', ids);
        repair();
        const letters = await lettersOf(t, topic);
        const before = await listed(letters);
        const report = await letters.redrive({ limit: 5 }, { dryRun: true });
        assert.deepEqual(report, { selected: 5, redriven: 5, exhausted: 0 });
        await t.quiet(messaging, topic, received);
        assert.deepEqual(await listed(letters), before);
        for (const id of ids) assert.equal(received.of(id).length, 1);
      },
    },
    {
      id: 'DL34',
      title: 'only what was selected is redriven: by ids, by a condition, and at most so many, the oldest first',
      async run(t) {
        const topic = t.keyed();
        const { work, repair } = broken();
        const { messaging, received, events } = await worker(t, topic, { work });
        const ids = await t.send(messaging, topic, items(20, 1));
        await toldOf(t, events, 'dead-lettered', ids);
        repair();
        const letters = await lettersOf(t, topic);
        const all = await listed(letters);
        const again = new Set<string | undefined>();
        const redriven = async (selection: Parameters<typeof letters.redrive>[0], ...expected: number[]) => {
          assert.equal((await letters.redrive(selection)).redriven, expected.length);
          for (const n of expected) again.add(ids[n]);
        };
        await redriven({ ids: [all[3]?.id ?? '', all[5]?.id ?? ''] }, 3, 5);
        await redriven({ where: ({ messageId }) => ids.indexOf(messageId) >= 18 }, 18, 19);
        await redriven({ limit: 3 }, 0, 1, 2);
        await t.until(
          () => ids.every((id) => received.of(id).length === (again.has(id) ? 2 : 1)),
          'these to come again',
        );
        await t.quiet(messaging, topic, received);
        for (const id of ids) assert.equal(received.of(id).length, again.has(id) ? 2 : 1);
        assert.deepEqual(
          messageIds(await listed(letters)),
          ids.filter((id) => !again.has(id)),
        );
      },
    },
    {
      id: 'DL35',
      title: 'what is redriven while nobody of the group is there comes when somebody is',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(20, 5));
        const letters = await lettersOf(t, topic);
        assert.equal((await letters.redrive({})).redriven, 20);
        assert.deepEqual(await listed(letters), []);
        const { messaging, received, subscription } = await worker(t, topic);
        await received.all(ids);
        await t.poll(async () => (await subscription.lag()) === 0, 'everything to be settled');
        await t.quiet(messaging, topic, received);
        for (const id of ids)
          assert.deepEqual(
            received.of(id).map(({ delivery }) => delivery.attempt),
            [1],
          );
      },
    },
    {
      id: 'DL36',
      title:
        'letters can be redriven to another group of their topic: it gets them, and the one that gave them up does not',
      needs: ['groups'],
      async run(t) {
        const topic = t.keyed();
        const { work, repair } = broken();
        const [one, two] = await Promise.all([
          worker(t, topic, { group: 'one', work }),
          worker(t, topic, { group: 'two' }),
        ]);
        const ids = await t.send(one.messaging, topic, items(10, 5));
        await toldOf(t, one.events, 'dead-lettered', ids);
        await two.received.all(ids);
        repair();
        const letters = await lettersOf(t, topic, 'one');
        assert.equal((await letters.redrive({}, { to: { group: 'two' } })).redriven, 10);
        await t.until(() => ids.every((id) => two.received.of(id).length === 2), 'the other group to get each');
        const all = (sentinels: readonly string[]) =>
          Promise.all([one, two].map(({ received }) => received.all(sentinels))).then(() => {});
        await t.quiet(one.messaging, topic, { all });
        for (const id of ids) assert.deepEqual([one.received.of(id).length, two.received.of(id).length], [1, 2]);
        assert.deepEqual(await listed(letters), []);
      },
    },
  ],
);
