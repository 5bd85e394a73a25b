import { createMessaging, defineTopic, exponential, PermanentError } from '@anymq/core';
import { z } from 'zod';

const order = z.object({ orderId: z.string(), sku: z.string() });
const orderPaid = defineTopic('orders.paid', { schema: order, key: ({ orderId }) => orderId });
const orderExpired = defineTopic('orders.expired', { schema: order, key: ({ orderId }) => orderId });

const messaging = await createMessaging({ brokers: { local: { adapter: 'memory' } } });
process.once('SIGINT', () => messaging.close());

const consumer = messaging.consumer({ group: 'shipping' });
consumer.subscribe(
  orderPaid,
  async ({ value, attempt, signal }) => {
    if (value.sku === '') throw new PermanentError('nothing to ship'); // a dead letter at once
    console.log(`shipping ${value.orderId}, attempt ${attempt}, ${signal.aborted ? 'too late' : 'in time'}`);
  },
  {
    retry: { maxAttempts: 5, backoff: exponential({ initialMs: 200, maxMs: 30_000 }) }, // its key waits, others go on
    handlerTimeoutMs: 10_000,
  },
);
await consumer.start();

const producer = messaging.producer();
const { cancelToken } = await producer.send(orderExpired, { orderId: 'o-1', sku: 'a' }, { delayMs: 900_000 });
if (cancelToken !== undefined) console.log(await producer.cancel(cancelToken)); // 'cancelled', or 'too-late'

const deadLetters = messaging.deadLetters(orderPaid, { group: 'shipping' });
for await (const letter of deadLetters.list()) console.log(letter.messageId, letter.attempts, letter.cause.message);
await deadLetters.redrive({ where: ({ cause }) => cause.code === 'TIMEOUT' }, { ratePerSecond: 50 });
