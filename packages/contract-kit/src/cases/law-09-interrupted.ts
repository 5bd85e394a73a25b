import assert from 'node:assert/strict';
import type { MessagingError } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';
import { givenUp, lettersOf, listed, messageIds, refusing, SLOW_MS, worker } from './giving-up.js';

/** What may be under way when a redrive ends before its end. */
const IN_FLIGHT = 64;

export const law09interrupted = law(
  9,
  ['dead-letters', 'redelivery'],
  [
    {
      id: 'DL37',
      title: 'a redrive that is stopped by its signal and called again: none is lost, none comes twice',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(200, 40));
        const letters = await lettersOf(t, topic);
        const stop = new AbortController();
        let done = 0;
        const onProgress = (progress: { readonly done: number; readonly total: number }): void => {
          assert.equal(progress.total, 200);
          assert.equal(progress.done, done + 1, 'each is told once');
          done = progress.done;
          if (done === 70) stop.abort();
        };
        await assert.rejects(letters.redrive({}, { signal: stop.signal, onProgress }), { code: 'ABORTED' });
        const left = messageIds(await listed(letters));
        assert.ok(done >= 70 && done <= 70 + IN_FLIGHT, `${done} were redriven`);
        assert.equal(left.length, 200 - done);
        const { messaging, received } = await worker(t, topic);
        await received.all(ids.filter((id) => !left.includes(id)));
        assert.equal((await letters.redrive({})).redriven, left.length);
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        assert.deepEqual(received.duplicates, []);
        assert.deepEqual(await listed(letters), []);
      },
    },
    {
      id: 'DL38',
      title:
        'a redrive whose letters cannot be removed leaves them as letters: nothing is lost, and what is repeated has one id',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(100, 20));
        let refused = false;
        const adapter = refusing(t.configure(), 'anymq.dead.', () => refused);
        const letters = (await t.messagingOn(adapter)).deadLetters(topic, { group: 'g' });
        const onProgress = ({ done }: { readonly done: number }): void => {
          if (done === 30) refused = true;
        };
        await assert.rejects(letters.redrive({}, { onProgress }), { code: 'UNAUTHORISED' });
        refused = false;
        const left = messageIds(await listed(letters));
        assert.ok(left.length > 0 && left.length <= 70, `${left.length} letters are left`);
        assert.equal((await letters.redrive({})).redriven, left.length);
        assert.deepEqual(await listed(letters), []);
        const { messaging, received } = await worker(t, topic);
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        const again = new Set(received.duplicates);
        assert.ok(again.size <= IN_FLIGHT, `${again.size} came twice`);
        for (const id of again) assert.ok(left.includes(id), 'it was a letter no more, and came twice');
      },
    },
    {
      id: 'DL39',
      title: 'a redrive through an outage ends, or rejects and can be called again: none is lost, few come twice',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(300, 40));
        const outage = await t.outage();
        const letters = (await t.messagingOn(outage.configure())).deadLetters(topic, { group: 'g' });
        const onProgress = ({ done }: { readonly done: number }): void => {
          if (done === 100) outage.begin();
        };
        const redriving = letters.redrive({}, { onProgress }).then(
          () => 'done',
          ({ code }: MessagingError) => code,
        );
        await Promise.race([redriving, t.later(1_000)]);
        outage.end();
        const outcome = await redriving;
        assert.ok(['done', 'UNAVAILABLE', 'TIMEOUT', 'INDETERMINATE'].includes(outcome), outcome);
        const direct = await lettersOf(t, topic);
        await direct.redrive({});
        assert.deepEqual(await listed(direct), []);
        const { messaging, received } = await worker(t, topic);
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        const again = new Set(received.duplicates);
        // Resends of writes that had no answer, and letters whose removal had none.
        assert.ok(again.size <= 2 * IN_FLIGHT, `${again.size} came twice`);
      },
    },
    {
      id: 'DL40',
      title: 'ratePerSecond is a ceiling: letters come apart as it says, and all of them come',
      async run(t) {
        const topic = t.keyed();
        const ids = await givenUp(t, topic, items(12, 12));
        const letters = await lettersOf(t, topic);
        const { received } = await worker(t, topic);
        const begin = performance.now();
        assert.equal((await letters.redrive({}, { ratePerSecond: 10 })).redriven, 12);
        const tookMs = performance.now() - begin;
        // The first goes at once; what a late timer delayed may catch up by a tenth of a second.
        assert.ok(tookMs >= 950, `twelve letters took ${Math.round(tookMs)} ms at ten a second`);
        await received.all(ids);
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);
