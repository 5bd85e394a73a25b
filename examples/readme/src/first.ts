import { createMessaging, defineTopic } from '@anymq/core';
import { z } from 'zod';

const orderPaid = defineTopic('orders.paid', {
  schema: z.object({ orderId: z.string(), amount: z.number().positive() }),
  key: (order) => order.orderId, // messages of one order are handled in order
});

const messaging = await createMessaging({ brokers: { local: { adapter: 'memory' } } });
process.once('SIGINT', () => messaging.close()); // Ctrl-C: drains, settles, leaves

const consumer = messaging.consumer({ group: 'shipping' });
consumer.subscribe(orderPaid, async ({ value, attempt }) => {
  console.log(`shipping ${value.orderId}, attempt ${attempt}`);
});
await consumer.start();

await messaging.producer().send(orderPaid, { orderId: 'o-1', amount: 9.5 });
