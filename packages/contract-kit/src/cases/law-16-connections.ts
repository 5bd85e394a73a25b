import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';

const CLIENTS = 20;
const OUTAGE_MS = 4_000;
/** From then on the waits are around a second and longer. */
const SETTLED_MS = 1_500;
const LOOK_MS = 50;
/** Looks that are left out when one came late, itself included. */
const AFTER_STALL = 3;
/** Of one client in a second, on all of its connections together. */
const MOST_PER_SECOND = 10;

export const law16connections = law(
  16,
  ['network'],
  [
    {
      id: 'RC15',
      title: 'when nothing listens at the first of several addresses, the second is used',
      timeoutMs: 60_000,
      async run(t) {
        const messaging = await t.messagingOn(t.firstDead());
        const topic = t.keyed();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        await received.all(await t.send(messaging, topic, items(10, 3)));
        assert.equal((await messaging.health()).ready, true);
      },
    },
    {
      id: 'RC14',
      title: `${CLIENTS} clients without a broker try again a few times a second each, and not all at once`,
      needs: ['recovery'],
      disturbs: true,
      timeoutMs: 120_000,
      async run(t) {
        const { proxy, configure } = await t.proxied();
        const clients = await Promise.all(Array.from({ length: CLIENTS }, () => t.messagingOn(configure())));
        await Promise.all(clients.map((client) => client.connect()));
        const topic = t.keyed();
        await t.send(clients[0] ?? assert.fail(), topic, items(1, 1));
        const refusal = proxy.refuse();
        proxy.cut();
        // The first tries come soon after one another: only longer waits can tell whether chance has a part in them.
        await t.later(SETTLED_MS);
        const before = proxy.accepted;
        let [last, most] = [before, 0];
        let stalled = 0;
        for (let looks = 0; looks < OUTAGE_MS / LOOK_MS; looks++) {
          const began = performance.now();
          await t.later(LOOK_MS);
          // A process that stood still does all that was due meanwhile at once: what follows says nothing of who chose when.
          if (performance.now() - began > 2 * LOOK_MS) stalled = AFTER_STALL;
          if (stalled > 0) stalled -= 1;
          else most = Math.max(most, proxy.accepted - last);
          last = proxy.accepted;
        }
        const tries = last - before;
        const perSecond = tries / CLIENTS / (OUTAGE_MS / 1_000);
        assert.ok(refusal.hits > 0 && tries > 0, 'nobody tried again');
        assert.ok(perSecond < MOST_PER_SECOND, `each tried ${perSecond.toFixed(1)} times a second`);
        assert.ok(most < CLIENTS, `${most} of ${tries} tries came within ${LOOK_MS} ms`);
        refusal.heal();
        await t.send(clients.at(-1) ?? assert.fail(), topic, items(5, 2));
        await t.poll(
          async () => (await Promise.all(clients.map((client) => client.health()))).every(({ ready }) => ready),
          'all to be ready',
        );
      },
    },
  ],
);
