import assert from 'node:assert/strict';
import type { Delivery } from '@anymq/core';
import { law } from '../case.js';
import { type Item, items } from '../context.js';

export const law03 = law(
  3,
  ['at-least-once'],
  [
    {
      id: 'AK1',
      title: 'what was acknowledged never comes again, not to a new connection of the group either',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const first = await t.member('g', topic, before);
        const ids = await t.send(messaging, topic, items(60, 10));
        await before.all(ids);
        await first.close();
        await t.member('g', topic, after);
        await t.quiet(messaging, topic, after);
        assert.deepEqual(
          after.ids.filter((id) => ids.includes(id)),
          [],
        );
      },
    },
    {
      id: 'AK8',
      title: 'acknowledging one message acknowledges no other: what was not handled comes again, and only that',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const gate = t.gate();
        // Every third key hangs; the others, before and behind it, are acknowledged.
        const first = (await t.messaging()).consumer({ group: 'g', drainTimeoutMs: 0 });
        first.subscribe(
          topic,
          before.handler('a', ({ value }) => (value.n % 3 === 1 ? gate.opened : undefined)),
          { concurrency: 100 },
        );
        await first.start();
        const ids = await t.send(messaging, topic, items(30, 30));
        const hanging = ids.filter((_, n) => n % 3 === 1);
        const done = ids.filter((id) => !hanging.includes(id));
        await before.all(done);
        await before.until(30);
        await first.close();
        gate.open();
        await t.member('g', topic, after);
        await after.all(hanging);
        await t.quiet(messaging, topic, after);
        assert.deepEqual(after.ids.filter((id) => ids.includes(id)).sort(), [...hanging].sort());
        for (const id of hanging) assert.equal(after.of(id)[0]?.delivery.redelivered, true);
      },
    },
    {
      id: 'CG13',
      title: 'after a crash nothing unsettled was skipped, although later messages of other keys were acknowledged',
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: 120_000,
      async run(t) {
        const topic = t.keyed();
        const [before, after] = [t.received(), t.received()];
        const outage = await t.outage();
        const gate = t.gate();
        const crashing = (await t.messagingOn(outage.configure())).consumer({ group: 'g', drainTimeoutMs: 0 });
        crashing.subscribe(
          topic,
          before.handler('a', ({ value }) => (value.n < 3 ? gate.opened : undefined)),
          { concurrency: 100 },
        );
        await crashing.start();
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(60, 60));
        await before.all(ids.slice(3));
        outage.begin();
        await t.member('g', topic, after);
        await after.all(ids.slice(0, 3));
        gate.open();
      },
    },
    {
      id: 'AK11',
      title:
        'a handler that runs longer than any lease or session keeps its message: no other member gets it, and it counts',
      timeoutMs: 120_000,
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const received = t.received();
        const workMs = Math.min(30_000, 3 * t.capabilities.limits.takeoverMs);
        const signals: AbortSignal[] = [];
        const work = async ({ value, signal }: Delivery<Item>) => {
          if (!value.key.startsWith('slow')) return;
          signals.push(signal);
          await t.later(workMs);
          assert.equal(signal.aborted, false, 'it was told to stop');
        };
        await Promise.all(['a', 'b'].map((member) => t.member('g', topic, received, member, work)));
        const ids = await t.send(messaging, topic, items(4, 4, 'slow'));
        await received.until(4);
        await received.all(ids);
        await t.quiet(messaging, topic, received);
        for (const id of ids) assert.equal(received.of(id).length, 1);
        assert.equal(signals.length, 4);
      },
    },
  ],
);
