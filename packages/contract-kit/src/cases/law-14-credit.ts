import assert from 'node:assert/strict';
import { law } from '../case.js';
import { items } from '../context.js';
import { type MemberSide, type TamperedMember, tampered } from '../tamper.js';

export const law14credit = law(
  14,
  ['backpressure'],
  [
    {
      id: 'BP2',
      title:
        'behind slow handlers a backlog stays where it is: the adapter never hands over more than it has credit for',
      async run(t) {
        const topic = t.keyed();
        const ids = await t.send(await t.messaging(), topic, items(1_500, 100));
        const received = t.received();
        const gate = t.gate();
        let [granted, handedOver, most] = [0, 0, 0];
        const member = ({ sink, receiver }: MemberSide): TamperedMember => ({
          receiver: {
            credit(records, bytes) {
              granted += records;
              receiver().credit(records, bytes);
            },
          },
          sink: {
            deliver(records) {
              handedOver += records.length;
              most = Math.max(most, handedOver - granted);
              sink.deliver(records);
            },
          },
        });
        const configured = tampered(t.configure(), () => ({ member }));
        const consumer = (await t.messagingOn(configured)).consumer({ group: 'g' });
        const options = { concurrency: 4, maxInFlight: 40 };
        const subscription = consumer.subscribe(
          topic,
          received.handler('a', () => gate.opened),
          options,
        );
        await consumer.start();
        await t.until(() => received.running === 4, '4 handlers that stand still');
        // Another group has everything meanwhile: so has this one had its time.
        const other = t.received();
        await t.member('other', topic, other);
        await other.all(ids);
        assert.ok(handedOver <= 40, `${handedOver} were handed over in place of 40 at most`);
        assert.ok(subscription.inFlight <= 40, `${subscription.inFlight} are in flight`);
        gate.open();
        await received.all(ids);
        assert.ok(most <= 0, `${most} more than credit was given for`);
        assert.deepEqual(received.duplicates, []);
      },
    },
  ],
);
