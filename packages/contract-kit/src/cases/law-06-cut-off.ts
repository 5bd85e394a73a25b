import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { SLOW_MS, worker } from './giving-up.js';

/** What a handler still takes after it was told that its messages are another member's. */
const LAST_MS = 300;
const KEYS = 64;

export const law06cutOff = law(
  6,
  ['key-order', 'recovery'],
  [
    {
      id: 'OR12',
      title:
        'a member that is cut off from its broker has time to end its handlers before another one begins with their keys',
      disturbs: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const topic = t.keyed();
        const received = t.received();
        const outage = await t.outage();
        let begun = 0;
        const untilTold = async ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
          begun += 1;
          signal.addEventListener('abort', () => t.waiter.changed());
          await t.until(() => signal.aborted, 'the handlers to be told');
          await t.later(LAST_MS);
        };
        await worker(t, topic, { adapter: outage.configure(), received, work: untilTold });
        await worker(t, topic, { received });
        const ids = await t.send(await t.messaging(), topic, items(KEYS, KEYS));
        await t.until(() => begun > 3, 'handlers of the member that is to be cut off');
        outage.begin();
        await received.all(ids);
        await t.until(() => received.duplicates.length >= begun, 'what was not settled, again');
        assert.equal(received.mostOfKey, 1, 'handlers of a key at once');
      },
    },
  ],
);
