import assert from 'node:assert/strict';
import { MessagingError, PermanentError } from '@anymq/core';
import type { ConfiguredAdapter } from '@anymq/core/adapter';
import { law } from '../case.js';
import { type CaseContext, items } from '../context.js';
import { tampered } from '../tamper.js';
import { givenUp, lettersOf, listed, messageIds, worker } from './giving-up.js';

/** Messages of one key: they are given up in the order in which they were sent. */
const ordered = (count: number) => items(count, 1);

/** Gives up with causes of two kinds. */
const ofTwoKinds = ({ value }: { readonly value: { readonly n: number } }): never => {
  if (value.n % 3 === 0) throw new MessagingError('TIMEOUT', 'the stock service did not answer');
  throw new PermanentError('no such order');
};

/** What is listed now, twice: looking at letters changes nothing. */
async function listedTwice(t: CaseContext, topic: ReturnType<CaseContext['keyed']>) {
  const letters = await lettersOf(t, topic);
  const once = await listed(letters);
  assert.deepEqual(await listed(letters), once);
  return once;
}

export const law09letters = law(
  9,
  ['dead-letters'],
  [
    {
      id: 'DL10',
      title: 'listing consumes nothing and keeps the order: twice the same, from any process, oldest or newest first',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, ordered(120));
        const letters = await lettersOf(t, topic);
        const once = await listed(letters);
        assert.deepEqual(messageIds(once), ids);
        assert.deepEqual(await listed(letters), once);
        assert.deepEqual(await listed(await lettersOf(t, topic), { order: 'oldest' }), once);
        assert.deepEqual(await listed(letters, { order: 'newest' }), [...once].reverse());
        for await (const { messageId } of letters.list()) {
          assert.equal(messageId, ids[0]);
          break;
        }
        assert.deepEqual(await listed(letters), once);
      },
    },
    {
      id: 'DL26',
      title: 'get() gives the letter that was listed, as often as it is asked, and nothing for an id that there is not',
      async run(t) {
        const topic = t.keyed();
        await givenUp(t, topic, ordered(5));
        const letters = await lettersOf(t, topic);
        const all = await listed(letters);
        for (const letter of all) assert.deepEqual(await letters.get(letter.id), letter);
        assert.deepEqual(await letters.get(all[2]?.id ?? ''), all[2]);
        assert.equal(await letters.get('dl-none'), undefined);
        assert.deepEqual(await listed(letters), all);
      },
    },
    {
      id: 'DL27',
      title: 'a selection is ids, a condition and a limit together: the oldest, or in the order that was asked for',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, ordered(20));
        const letters = await lettersOf(t, topic);
        const all = await listed(letters);
        const some = all.filter((_, n) => n % 4 === 0).map(({ id }) => id);
        const at = (...positions: number[]) => positions.map((n) => ids[n]);
        const where = ({ messageId }: { messageId: string }): boolean => ids.indexOf(messageId) >= 8;
        assert.deepEqual(messageIds(await listed(letters, { ids: some })), at(0, 4, 8, 12, 16));
        assert.deepEqual(messageIds(await listed(letters, { ids: some, where })), at(8, 12, 16));
        assert.deepEqual(messageIds(await listed(letters, { ids: some, where, limit: 2 })), at(8, 12));
        assert.deepEqual(messageIds(await listed(letters, { where, limit: 2, order: 'newest' })), at(19, 18));
        assert.deepEqual(await listed(letters, { ids: ['dl-none'] }), []);
        assert.deepEqual(await listed(letters), all);
      },
    },
    {
      id: 'DL28',
      title: 'stats() counts letters by code, by error and by topic, the most frequent first',
      async run(t) {
        const topic = t.keyed();
        await givenUp(t, topic, ordered(9), { work: ofTwoKinds });
        const letters = await lettersOf(t, topic);
        const of = async (by: 'code' | 'error' | 'topic') => [...(await letters.stats({ by }))];
        // What is no PermanentError is given up after its only attempt.
        assert.deepEqual(await of('code'), [
          ['', 6],
          ['TIMEOUT', 3],
        ]);
        assert.deepEqual(await of('error'), [
          ['PermanentError', 6],
          ['MessagingError', 3],
        ]);
        assert.deepEqual(await of('topic'), [[topic.name, 9]]);
        assert.equal((await listedTwice(t, topic)).length, 9);
      },
    },
    {
      id: 'DL29',
      title: 'purge() removes what was selected and nothing else, for good and for everybody',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, ordered(30));
        const [letters, others] = await Promise.all([lettersOf(t, topic), lettersOf(t, topic)]);
        const before = await listed(others);
        const even = ({ messageId }: { messageId: string }): boolean => ids.indexOf(messageId) % 2 === 0;
        assert.equal(await letters.purge({ where: even, limit: 10 }), 10);
        const left = before.filter((letter) => !even(letter) || ids.indexOf(letter.messageId) >= 20);
        assert.deepEqual(await listed(others), left);
        assert.equal(await letters.purge({ ids: ['dl-none'] }), 0);
        assert.deepEqual(await listed(letters), left);
        assert.equal(await others.purge({}), 20);
        assert.deepEqual(await listed(letters), []);
        const { received, messaging } = await worker(t, topic);
        await t.quiet(messaging, topic, received);
        assert.deepEqual(
          received.ids.filter((id) => ids.includes(id)),
          [],
          'what was purged came again',
        );
      },
    },
    {
      id: 'DL30',
      title: 'exported, purged and imported letters are the same, bit by bit; imported again they are not doubled',
      async run(t) {
        const topic = t.keyed();
        await givenUp(t, topic, ordered(40), { work: ofTwoKinds });
        const letters = await lettersOf(t, topic);
        const before = await listed(letters);
        const lines: string[] = [];
        for await (const line of letters.export()) lines.push(line);
        assert.equal(lines.length, 40);
        for (const line of lines) assert.ok(!/[\r\n]/.test(line) && typeof JSON.parse(line) === 'object', line);
        assert.equal(await letters.purge({}), 40);
        assert.equal(await letters.import(lines), 40);
        const others = await lettersOf(t, topic);
        const sorted = (found: typeof before) => [...found].sort((a, b) => (a.id < b.id ? -1 : 1));
        assert.deepEqual(sorted(await listed(others)), sorted(before));
        assert.equal(await letters.import(lines.slice(0, 7)), 7);
        assert.deepEqual(sorted(await listed(others)), sorted(before));
      },
    },
    {
      id: 'DL31',
      title: 'asking for the letters of a group that gave nothing up gives none, and creates nothing',
      async run(t) {
        const topic = t.keyed();
        await worker(t, topic);
        const opened: string[] = [];
        const adapter = watched(t.configure(), opened);
        const letters = (await t.messagingOn(adapter)).deadLetters(topic, { group: 'nobody' });
        assert.deepEqual(await listed(letters), []);
        assert.equal(await letters.get('dl-none'), undefined);
        assert.equal((await letters.stats({ by: 'code' })).size, 0);
        assert.deepEqual(await letters.redrive({}), { selected: 0, redriven: 0, exhausted: 0 });
        assert.equal(await letters.purge({}), 0);
        assert.deepEqual(opened, []);
      },
    },
  ],
);

/** Tells the topics that are opened for writing or reading, and so created. */
const watched = (adapter: ConfiguredAdapter, opened: string[]): ConfiguredAdapter =>
  tampered(adapter, () => ({
    adapter: (own) => ({
      openSender: (topic) => {
        opened.push(topic.name);
        return own.openSender(topic);
      },
      openReceiver: (spec, sink) => {
        opened.push(spec.topic.name);
        return own.openReceiver(spec, sink);
      },
      openReader: (topic, from, sink) => {
        opened.push(topic.name);
        return own.openReader(topic, from, sink);
      },
    }),
  }));
