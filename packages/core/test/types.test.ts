import { test } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { z } from 'zod';
import {
  bytes,
  type Consumer,
  type Delivery,
  defineTopic,
  exponential,
  type Producer,
  retry,
  type Topic,
} from '../src/index.js';

const order = defineTopic('orders.paid', {
  schema: z.object({
    orderId: z.string(),
    amount: z.number(),
    paidAt: z.coerce.date<string>(),
    note: z.string().default(''),
  }),
  key: (value) => {
    expectTypeOf(value).toEqualTypeOf<{ orderId: string; amount: number; paidAt: Date; note: string }>();
    return value.orderId;
  },
});

/** Never called: these are claims for the compiler. */
function claims(producer: Producer, consumer: Consumer): void {
  type In = { orderId: string; amount: number; paidAt: string; note?: string | undefined };
  type Out = { orderId: string; amount: number; paidAt: Date; note: string };
  expectTypeOf(order).toEqualTypeOf<Topic<In, Out>>();

  producer.send(order, { orderId: 'o', amount: 1, paidAt: '2026-01-01' });
  // @ts-expect-error amount is a number
  producer.send(order, { orderId: 'o', amount: '1', paidAt: '2026-01-01' });
  // @ts-expect-error orderId is missing
  producer.send(order, { amount: 1, paidAt: '2026-01-01' });
  // @ts-expect-error there is no such option
  producer.send(order, { orderId: 'o', amount: 1, paidAt: '2026-01-01' }, { delay: 1 });
  // @ts-expect-error headers are strings
  producer.send(order, { orderId: 'o', amount: 1, paidAt: '2026-01-01' }, { headers: { n: 1 } });
  producer.sendBatch(order, [{ value: { orderId: 'o', amount: 1, paidAt: '2026-01-01' }, id: 'x' }]);
  // @ts-expect-error an item has a value
  producer.sendBatch(order, [{ orderId: 'o' }]);

  consumer.subscribe(order, (delivery) => {
    expectTypeOf(delivery).toEqualTypeOf<Delivery<Out>>();
    expectTypeOf(delivery.key).toEqualTypeOf<string | undefined>();
    // @ts-expect-error deliveries are immutable
    delivery.value = { orderId: 'o', amount: 1, paidAt: new Date(), note: '' };
  });
  consumer.subscribe(
    order,
    async (deliveries) => {
      expectTypeOf(deliveries).toEqualTypeOf<readonly Delivery<Out>[]>();
    },
    { batch: { size: 10 } },
  );
  // @ts-expect-error a batch has a size
  consumer.subscribe(order, () => {}, { batch: {} });
  // @ts-expect-error a handler decides an outcome or nothing
  consumer.subscribe(order, () => 'done');
  // @ts-expect-error startFrom is earliest or latest
  consumer.subscribe(order, () => {}, { startFrom: 'middle' });

  consumer.subscribe(order, () => retry({ afterMs: 5, reason: new Error('no') }), {
    retry: { maxAttempts: 5, backoff: exponential({ initialMs: 200, maxMs: 30_000 }) },
    deadLetter: { topic: 'orders.dead' },
  });
  // @ts-expect-error a reason is a field
  consumer.subscribe(order, () => retry('reason'));
  // @ts-expect-error a back-off is made by fixed, exponential or steps
  consumer.subscribe(order, () => {}, { retry: { backoff: 5 } });
  // @ts-expect-error 'none', or a topic
  consumer.subscribe(order, () => {}, { deadLetter: 'orders.dead' });

  // @ts-expect-error a topic has a schema
  defineTopic('x', {});
  // @ts-expect-error a key is a string
  defineTopic('x', { schema: z.number(), key: (n) => n });
  expectTypeOf(defineTopic('raw', { schema: z.instanceof(Uint8Array), codec: bytes() })).toEqualTypeOf<
    Topic<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>
  >();
}

test('types are checked by the compiler', () => {
  expectTypeOf(claims).toBeFunction();
});
