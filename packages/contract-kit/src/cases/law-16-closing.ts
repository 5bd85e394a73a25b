import assert from 'node:assert/strict';
import type { MessagingError } from '@anymq/core';
import { law } from '../case.js';
import { items } from '../context.js';
import { SLOW_MS, worker } from './giving-up.js';
import { assertOrder } from './law-04-groups.js';

/** A close that takes as long hangs: it is longer than any wait for a broker that does not answer. */
const CLOSED_MS = 25_000;
/** Processes that come back, and are closed one after the other meanwhile. */
const CLOSING = 16;
const APART_MS = 30;
const OUTAGE_MS = 150;

export const law16closing = law(
  16,
  ['recovery'],
  [
    {
      id: 'SD7',
      title: 'close during an outage ends soon: sends get an outcome, what was unsettled goes to another member',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const [received, after] = [t.received(), t.received()];
        const outage = await t.outage();
        const gate = t.gate();
        const { messaging } = await worker(t, topic, {
          adapter: outage.configure(),
          received,
          work: () => gate.opened,
          drainTimeoutMs: 300,
        });
        const direct = await t.messaging();
        const ids = await t.send(direct, topic, items(10, 5));
        await received.until(5);
        outage.begin();
        const sending = messaging
          .producer({ sendTimeoutMs: 800 })
          .send(topic, { key: 'a', n: 1 })
          .then(
            () => 'sent',
            ({ code }: MessagingError) => code,
          );
        await closeSoon(messaging);
        assert.ok(['TIMEOUT', 'INDETERMINATE', 'CLOSED'].includes(await sending), await sending);
        gate.open();
        outage.end();
        await t.member('g', topic, after);
        await after.all(ids);
        assertOrder(after);
      },
    },
    {
      id: 'SD12',
      title: 'close ends soon at whatever moment of coming back from an outage',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const outage = await t.outage();
        const processes = await Promise.all(
          Array.from({ length: CLOSING }, (_, i) => worker(t, topic, { adapter: outage.configure(), group: `g${i}` })),
        );
        const producers = processes.map(({ messaging }) => messaging.producer());
        await Promise.all(producers.map((producer) => producer.send(topic, { key: 'a', n: 1 })));
        outage.begin();
        for (const producer of producers) producer.send(topic, { key: 'a', n: 2 }, { timeoutMs: 500 }).catch(() => {});
        await t.later(OUTAGE_MS);
        outage.end();
        await Promise.all(processes.map(({ messaging }, i) => t.later(i * APART_MS).then(() => closeSoon(messaging))));
      },
    },
  ],
);

async function closeSoon(messaging: { close(): Promise<void> }): Promise<void> {
  const begin = performance.now();
  await messaging.close();
  const tookMs = performance.now() - begin;
  assert.ok(tookMs < CLOSED_MS, `close took ${Math.round(tookMs)} ms`);
}
