import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';

export const law03 = law(3, [
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
]);
