import assert from 'node:assert/strict';
import { law } from '../case.js';
import { type CaseContext, items } from '../context.js';
import { tampered } from '../tamper.js';
import { assertNotEarly, assertOnTime, assertOrder, delay, idsOf, member, ready } from './delayed.js';
import { SLOW_MS } from './giving-up.js';

const HOUR_MS = 3_600_000;

/** Whatever stands on the broker under the names of core's own topics. */
async function ownTopics(t: CaseContext): Promise<readonly string[]> {
  let topics = async (): Promise<readonly string[]> => [];
  const configured = tampered(t.configure(), () => ({
    adapter: (adapter) => {
      topics = () => adapter.topics();
      return {};
    },
  }));
  await (await t.messagingOn(configured)).connect();
  // A copy: an array that an adapter's own file system made is of another realm where tests run in one of theirs.
  return [...(await topics())].filter((name) => name.startsWith('anymq.'));
}

export const law10 = law(
  10,
  ['delay'],
  [
    {
      id: 'DE1',
      title: 'a delayed message comes never before its time, and not much later',
      async run(t) {
        const { producer, topic, received, at } = await ready(t);
        const sending = [30, 700, 1_100, 1_900, 2_500, 3_200].flatMap((delayMs, n) => [
          delay(producer, topic, { key: `a${n}`, n }, { delayMs }),
          delay(producer, topic, { key: `b${n}`, n }, { deliverAt: new Date(Date.now() + delayMs) }),
        ]);
        const sent = await Promise.all(sending);
        await received.all(idsOf(sent));
        assertOnTime(t, sent, { at });
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'DE2',
      title: 'what is due in the past, or now, comes at once, in the order of the sends',
      async run(t) {
        const topic = t.keyed();
        const { producer, received } = await member(t, topic);
        const times = [{}, { deliverAt: 0 }, { deliverAt: new Date(Date.now() - HOUR_MS) }, { delayMs: 0 }, {}];
        const receipts = await Promise.all(times.map((options, n) => producer.send(topic, { key: 'a', n }, options)));
        await received.all(receipts.map(({ id }) => id));
        assert.deepEqual(
          received.values.map(({ n }) => n),
          [0, 1, 2, 3, 4],
        );
        const token = receipts[1]?.cancelToken ?? assert.fail('a receipt without a token');
        assert.equal(await producer.cancel(token), 'too-late');
      },
    },
    {
      id: 'DE3',
      title: 'short delays do not wait behind long ones, whichever was sent first',
      async run(t) {
        const { producer, topic, received, at } = await ready(t);
        const far = await delay(producer, topic, { key: 'far', n: 0 }, { delayMs: HOUR_MS });
        const long = await Promise.all(
          items(200, 20, 'l').map((one) => delay(producer, topic, one, { delayMs: 2_900 })),
        );
        const middle = await Promise.all(
          items(20, 20, 'm').map((one) => delay(producer, topic, one, { delayMs: 1_600 })),
        );
        const short = await Promise.all(items(20, 20, 's').map((one) => delay(producer, topic, one, { delayMs: 400 })));
        await received.all([...idsOf(long), ...idsOf(middle), ...idsOf(short)]);
        assertOnTime(t, [...short, ...middle, ...long], { at });
        const times = (sent: typeof short): number[] => sent.map(({ id }) => at.get(id) ?? 0);
        assert.ok(Math.max(...times(short)) <= Math.min(...times(middle)), 'a short delay came after a longer one');
        assert.ok(Math.max(...times(middle)) <= Math.min(...times(long)), 'a longer delay came after a long one');
        assert.equal(await producer.cancel(far.token), 'cancelled');
      },
    },
    {
      id: 'DE6',
      title: 'a delay beyond the maximum is refused with UNSUPPORTED, not shortened; the maximum is a day at least',
      async run(t) {
        const { producer, topic, received, messaging } = await ready(t);
        const { maxDelayMs } = t.capabilities.limits;
        assert.ok(maxDelayMs >= 24 * HOUR_MS, `it is ${maxDelayMs} ms`);
        const send = (options: object) => producer.send(topic, { key: 'a', n: 0 }, options);
        const beyond = Date.now() + maxDelayMs + 60_000;
        const refused = { code: 'UNSUPPORTED', retryable: false };
        await assert.rejects(send({ delayMs: maxDelayMs + 1 }), refused);
        await assert.rejects(send({ deliverAt: beyond }), refused);
        await assert.rejects(send({ deliverAt: new Date(beyond) }), refused);
        await assert.rejects(send({ delayMs: 5, deliverAt: beyond }), { code: 'INVALID_ARGUMENT' });
        await assert.rejects(send({ delayMs: -1 }), { code: 'INVALID_ARGUMENT' });
        await assert.rejects(producer.cancel('no token'), { code: 'INVALID_ARGUMENT' });
        const { token } = await delay(producer, topic, { key: 'a', n: 1 }, { delayMs: maxDelayMs });
        await t.later(1_500);
        await t.quiet(messaging, topic, received);
        assert.equal(await producer.cancel(token), 'cancelled');
        assert.deepEqual(
          received.values.filter(({ key }) => key === 'a'),
          [],
        );
      },
    },
    {
      id: 'DE8',
      title: '10,000 messages that are due in one instant all come, once',
      // Its load would make the others late.
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const { messaging, topic, received, at } = await ready(t);
        // Time to send them all first, on most machines: what comes of them meanwhile makes sends slow.
        const deliverAt = Date.now() + 12_000;
        const patient = messaging.producer({ sendTimeoutMs: 200_000 });
        const sending = items(10_000, 100).map((one) => delay(patient, topic, one, { deliverAt }));
        const sent = await Promise.all(sending);
        await received.all(idsOf(sent));
        assertNotEarly(sent, { at });
        assert.deepEqual(received.duplicates, []);
      },
    },
    {
      id: 'DE10',
      title: 'the declared tolerance is real: of a hundred due moments each is met, and those of a key in their order',
      async run(t) {
        const { producer, topic, received, at } = await ready(t);
        const begin = Date.now() + 1_500;
        // 37 has no factor in common with 100: each moment once, in no order.
        const moments = items(100, 5).map(({ n }) => ({ n, deliverAt: begin + ((n * 37) % 100) * 17 }));
        const sent = await Promise.all(
          moments.map(({ n, deliverAt }) => delay(producer, topic, { key: `k${n % 5}`, n }, { deliverAt })),
        );
        await received.all(idsOf(sent));
        assertOnTime(t, sent, { at });
        const late = sent.map(({ id, due }) => (at.get(id) ?? 0) - due).sort((a, b) => a - b);
        const { delayToleranceMs } = t.capabilities.limits;
        assert.ok((late[50] ?? 0) <= delayToleranceMs, `half of them came ${late[50]} ms late, or later`);
        for (let key = 0; key < 5; key += 1) {
          const ofKey = sent.filter((_, n) => n % 5 === key);
          assertOrder(
            [...ofKey].sort((a, b) => a.due - b.due),
            { received },
          );
        }
      },
    },
    {
      id: 'DE20',
      title: 'delays of several seconds are met as short ones are',
      async run(t) {
        const { producer, topic, received, at } = await ready(t);
        const sent = await Promise.all(
          [5_900, 7_100, 8_800, 12_300].map((delayMs, n) => delay(producer, topic, { key: `k${n}`, n }, { delayMs })),
        );
        await received.all(idsOf(sent));
        assertOnTime(t, sent, { at });
      },
    },
    {
      id: 'DE11',
      title:
        'a delayed message takes its place in its key’s order when it is due; what is due at once comes as it was sent',
      async run(t) {
        const { producer, topic, received, at } = await ready(t, t.keyed(), { work: () => t.later(15) });
        const deliverAt = Date.now() + 2_600;
        const send = (n: number, due: number) => delay(producer, topic, { key: 'a', n }, { deliverAt: due });
        const last = await send(30, deliverAt + 150);
        const same = await Promise.all(items(20, 1).map(({ n }) => send(n, deliverAt)));
        const first = await send(31, deliverAt - 150);
        const before = await producer.send(topic, { key: 'a', n: 32 });
        await received.all(idsOf([first, ...same, last]));
        const after = await producer.send(topic, { key: 'a', n: 33 });
        await received.all([after.id]);
        assertNotEarly([first, ...same, last], { at });
        assert.equal(received.mostOfKey, 1);
        const due = [{ ...first, id: before.id }, first, ...same, last, { ...last, id: after.id }];
        assertOrder(due, { received });
      },
    },
    {
      id: 'DE12',
      title: 'a delayed message reaches every group, once, also one that begins later',
      async run(t) {
        const { producer, topic, received, messaging } = await ready(t);
        const [second, third] = [t.received(), t.received()];
        await member(t, topic, { group: 'second', received: second });
        const sent = await Promise.all(items(20, 10).map((one) => delay(producer, topic, one, { delayMs: 1_800 })));
        await Promise.all([received, second].map((one) => one.all(idsOf(sent))));
        await member(t, topic, { group: 'third', received: third, messaging });
        await third.all(idsOf(sent));
        for (const one of [received, second, third]) assert.deepEqual(one.duplicates, []);
      },
    },
    {
      id: 'DE17',
      title: 'nothing is created on the broker for what nobody uses: no delays, no retries, no dead letters',
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        await received.all(await t.send(messaging, topic, items(30, 10)));
        // It looks for what others use about once a second.
        await t.later(2_500);
        await t.quiet(messaging, topic, received);
        assert.deepEqual(await ownTopics(t), []);
        const { id } = await delay(messaging.producer(), topic, { key: 'a', n: 0 }, { delayMs: 300 });
        await received.all([id]);
        assert.ok((await ownTopics(t)).includes('anymq.delay.gate'), 'delays are kept somewhere else');
      },
    },
  ],
);
