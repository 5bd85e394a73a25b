import assert from 'node:assert/strict';
import type { MessagingError } from '@anymq/core';
import { type Clock, systemClock, type Timer } from '@anymq/core/adapter';
import { law } from '../case.js';
import { items } from '../context.js';
import { assertOrder } from './law-04-groups.js';

const rare = law(
  3,
  ['at-least-once', 'key-order'],
  [
    {
      id: 'SB1',
      title: 'of 2,000 messages none is lost, none comes twice, and none overtakes another of its key',
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const messaging = await t.messaging();
        await t.member('g', topic, received);
        const all = items(2_050, 50);
        const ids = await t.send(messaging, topic, all.slice(0, 2_000));
        // The last of each key: when it was handled, everything of its key was.
        await received.all(await t.send(messaging, topic, all.slice(2_000)));
        const handled = new Set(received.ids);
        assert.deepEqual(
          ids.filter((id) => !handled.has(id)),
          [],
        );
        assert.deepEqual(received.duplicates, []);
        assertOrder(received);
      },
    },
    {
      id: 'SB2',
      title: 'what comes again to another consumer has its id, key, headers, time, type and value',
      async run(t) {
        const topic = t.keyed();
        const messaging = await t.messaging();
        const [before, after] = [t.received(), t.received()];
        const gate = t.gate();
        const first = (await t.messaging()).consumer({ group: 'g', drainTimeoutMs: 0 });
        first.subscribe(
          topic,
          before.handler('a', () => gate.opened),
        );
        await first.start();
        const options = { headers: { h: 'v', empty: '' }, type: 'com.example.t', time: 1_700_000_000_123 };
        await messaging.producer().send(topic, { key: 'a', n: 1 }, options);
        await before.until(1);
        await first.close();
        gate.open();
        await t.member('g', topic, after, 'b');
        await after.until(1);
        const [one, two] = [before, after].map(({ calls }) => {
          const { id, key, headers, time, type, value } = calls[0]?.delivery ?? assert.fail('no delivery');
          return { id, key, headers: { ...headers }, time, type, value };
        });
        assert.deepEqual(two, one);
      },
    },
  ],
);

const handOver = law(
  6,
  ['key-order', 'groups'],
  [
    {
      id: 'SB3',
      title: 'a member that joins gets no message of a key whose handler still runs',
      timeoutMs: 90_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        let join = (): void => {};
        const joining = new Promise<void>((resolve) => {
          join = resolve;
        });
        // The first of each key run for certain while the other joins, however slow this process is.
        const work = async (): Promise<void> => {
          await joining;
          await t.later(received.calls.length <= 80 ? 200 : 20);
        };
        await t.member('g', topic, received, 'a', work);
        const sending = t.send(await t.messaging(), topic, items(600, 40));
        await received.until(8);
        join();
        await t.member('g', topic, received, 'b', work);
        await received.all(await sending);
        assertOrder(received);
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);

/** Tries to lose an answer. */
const ROUNDS = 10;

const lostAnswer = law(
  1,
  ['recovery'],
  [
    {
      id: 'SB4',
      title: 'what reached its group although the broker went away before it answered did not fail for certain',
      disturbs: true,
      timeoutMs: 120_000,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        let armed = false;
        await t.member('g', topic, received, 'a', () => {
          if (armed) outage.begin();
          armed = false;
        });
        const producer = (await t.messagingOn(outage.configure())).producer();
        await producer.send(topic, { key: 'a', n: -1 });
        // Its membership stands everywhere: else the answers would be there long before it hears of a message.
        await t.quiet(await t.messaging(), topic, received);
        const outcomes = new Map<string, string>();
        const lost = (): boolean => received.ids.some((id) => (outcomes.get(id) ?? 'sent') !== 'sent');
        // Answers may be faster than the handler that takes the broker away, and a process that stands still may not even begin to
        // send in time: then once more.
        for (let round = 0; round < ROUNDS && !lost(); round++) {
          armed = true;
          const sends = items(20, 4).map(async (value) => {
            const id = t.name('cut');
            const sending = producer.send(topic, value, { id, timeoutMs: 1_000 });
            outcomes.set(
              id,
              await sending.then(
                () => 'sent',
                ({ code }: MessagingError) => code,
              ),
            );
          });
          await Promise.all(sends);
          // An outage that begins now would be one that nobody ends.
          armed = false;
          outage.end();
        }
        await t.quiet(await t.messaging(), topic, received);
        const arrived = new Set(received.ids);
        for (const [id, outcome] of outcomes)
          if (arrived.has(id)) assert.ok(['sent', 'INDETERMINATE'].includes(outcome), outcome);
      },
    },
  ],
);

const leaks = law(
  15,
  [],
  [
    {
      id: 'SB5',
      title: 'after close nothing waits on the clock that was given',
      async run(t) {
        const timers = new Set<Timer>();
        const messaging = await t.messaging({ clock: counting(timers) });
        const topic = t.keyed();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        await received.all(await t.send(messaging, topic, items(20, 5)));
        await messaging.close();
        const left = timers.size;
        for (const timer of timers) timer.cancel();
        assert.equal(left, 0, `${left} timers are left`);
      },
    },
  ],
);

/** The machine's clock, with the timers that wait on it. */
function counting(timers: Set<Timer>): Clock {
  const clock = systemClock();
  return {
    ...clock,
    setTimer(delayMs, run) {
      const timer = clock.setTimer(delayMs, () => {
        timers.delete(counted);
        run();
      });
      const counted: Timer = {
        cancel: () => {
          timers.delete(counted);
          timer.cancel();
        },
      };
      timers.add(counted);
      return counted;
    },
  };
}

/** Cases that only a saboteur called for: each fault that no other case found. */
export const sabotage = [...rare, ...handOver, ...lostAnswer, ...leaks];
