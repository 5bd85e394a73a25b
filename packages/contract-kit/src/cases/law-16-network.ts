import assert from 'node:assert/strict';
import { defineTopic, type MessagingError } from '@anymq/core';
import { z } from 'zod';
import { law } from '../case.js';
import { type CaseContext, items } from '../context.js';
import { SLOW_MS, worker } from './giving-up.js';
import { assertOrder } from './law-04-groups.js';

/** A message that no other request is as large as: the proxy knows the write by its size, on every protocol. */
const LARGE = 20_000;
const schema = z.object({ key: z.string(), n: z.number(), filler: z.string() });
const isLarge = ({ bytes }: { readonly bytes: number }): boolean => bytes >= LARGE;

const topicOf = (t: CaseContext) => defineTopic(t.name('large'), { schema, key: ({ key }) => key });
const large = (n: number) => ({ key: 'a', n, filler: 'x'.repeat(LARGE) });

export const law16network = law(
  16,
  ['network'],
  [
    {
      id: 'RC6',
      title: 'a send whose connection is cut between request and answer is INDETERMINATE, never a definite failure',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = topicOf(t);
        const received = t.received<z.infer<typeof schema>>();
        await t.member('g', topic, received);
        const { proxy, configure } = await t.proxied();
        const messaging = await t.messagingOn(configure());
        const producer = messaging.producer();
        await producer.send(topic, { key: 'a', n: 0, filler: '' });
        const trap = proxy.cutAfterRequest(isLarge);
        const sending = producer.send(topic, large(1), { id: t.name('cut'), timeoutMs: 4_000 }).then(
          () => assert.fail('it resolved without an answer'),
          (error: MessagingError) => error,
        );
        await trap.done;
        const refusal = proxy.refuse();
        const error = await sending;
        assert.deepEqual(
          { code: error.code, indeterminate: error.indeterminate, hits: trap.hits },
          { code: 'INDETERMINATE', indeterminate: true, hits: 1 },
        );
        refusal.heal();
        const { id } = await producer.send(topic, large(2), { timeoutMs: 90_000 });
        await received.all([id]);
      },
    },
    {
      id: 'RC16',
      title:
        'a write without an answer is sent again with its id: nothing lost, at most what was under way twice, in order',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = topicOf(t);
        const received = t.received<z.infer<typeof schema>>();
        await t.member('g', topic, received);
        const { proxy, configure } = await t.proxied();
        const producer = (await t.messagingOn(configure())).producer({ sendTimeoutMs: 100_000 });
        await producer.send(topic, { key: 'a', n: 0, filler: '' });
        const trap = proxy.cutAfterRequest(isLarge);
        const receipts = await Promise.all(Array.from({ length: 20 }, (_, n) => producer.send(topic, large(n + 1))));
        assert.equal(trap.hits, 1, 'the fault did not happen');
        await received.all(receipts.map(({ id }) => id));
        const numbers = received.calls.map(({ delivery }) => delivery.value.n);
        const first = numbers.filter((n, i) => numbers.indexOf(n) === i);
        assert.deepEqual(
          first,
          [...first].sort((a, b) => a - b),
        );
        assert.ok(received.duplicates.length <= 20, `${received.duplicates.length} duplicates`);
      },
    },
    {
      id: 'RC8',
      title:
        'a connection on which answers stop coming does not hang: sends end in time, and all goes on when it heals',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        await t.member('g', topic, received);
        const { proxy, configure } = await t.proxied();
        const producer = (await t.messagingOn(configure())).producer();
        await producer.send(topic, { key: 'a', n: 0 });
        const hole = proxy.blackHole('to-client');
        const begin = performance.now();
        const outcomes = await Promise.all(
          items(5, 5).map((value) => producer.send(topic, value, { timeoutMs: 1_500 }).then(() => 'sent', codeOf)),
        );
        const tookMs = performance.now() - begin;
        assert.ok(hole.hits > 0, 'the fault did not happen');
        assert.ok(tookMs < 4_000, `it took ${Math.round(tookMs)} ms in place of 1500`);
        for (const code of outcomes) assert.ok(['INDETERMINATE', 'TIMEOUT'].includes(code), code);
        assert.ok(outcomes.includes('INDETERMINATE'), 'what was written is not known to have failed');
        hole.heal();
        const { id } = await producer.send(topic, { key: 'a', n: 1 }, { timeoutMs: 90_000 });
        await received.all([id]);
      },
    },
    {
      id: 'RC5',
      title: 'both sides survive a black hole of some seconds: nothing lost, each key in order',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const { proxy, configure } = await t.proxied();
        const { messaging } = await worker(t, topic, { adapter: configure(), received });
        const producer = messaging.producer({ sendTimeoutMs: 100_000 });
        const all = items(300, 10);
        const send = (from: number) => all.slice(from, from + 100).map((value) => producer.send(topic, value));
        await Promise.all(send(0));
        const hole = proxy.blackHole();
        const during = send(100);
        await t.later(5_000);
        assert.ok(hole.hits > 0, 'the fault did not happen');
        hole.heal();
        const receipts = await Promise.all([...during, ...send(200)]);
        await received.all(receipts.map(({ id }) => id));
        assertOrder(received);
      },
    },
    {
      id: 'SD8',
      title: 'close on a connection that has gone silent ends in seconds, with an outcome for every send',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const [received, after] = [t.received(), t.received()];
        const { proxy, configure } = await t.proxied();
        const { messaging } = await worker(t, topic, { adapter: configure(), received, drainTimeoutMs: 300 });
        const producer = messaging.producer({ sendTimeoutMs: 1_000 });
        const { id } = await producer.send(topic, { key: 'a', n: 0 });
        await received.all([id]);
        const hole = proxy.blackHole();
        const sending = producer.send(topic, { key: 'a', n: 1 }).then(() => 'sent', codeOf);
        const begin = performance.now();
        await messaging.close();
        const tookMs = performance.now() - begin;
        assert.ok(hole.hits > 0, 'the fault did not happen');
        assert.ok(tookMs < 25_000, `close took ${Math.round(tookMs)} ms`);
        assert.ok(['TIMEOUT', 'INDETERMINATE', 'CLOSED'].includes(await sending), await sending);
        hole.heal();
        await t.member('g', topic, after);
        await after.all(await t.send(await t.messaging(), topic, items(5, 5)));
      },
    },
    {
      id: 'RC10',
      title: 'bytes that come a few at a time, and late, change nothing',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const { proxy, configure } = await t.proxied();
        const slices = proxy.slice(7);
        const late = proxy.latency(3);
        const { messaging } = await worker(t, topic, { adapter: configure(), received });
        const ids = await t.send(messaging, topic, items(40, 8));
        await received.all(ids);
        assert.ok(slices.hits > 0 && late.hits > 0, 'the fault did not happen');
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);

const codeOf = ({ code }: MessagingError): string => code;
