import type { Consumer, Delivery, Messaging } from '@anymq/core';
import { changeId, orderExpiry, orderStatus, type PaymentDeadline, RUN } from './order.js';

/** Tells all services that an order has expired, when its time to pay is over. */
export function expireOrders(messaging: Messaging, run: string): Consumer {
  const producer = messaging.producer();
  const consumer = messaging.consumer({ group: 'expiry' });
  consumer.subscribe(orderExpiry, async ({ value, headers }: Delivery<PaymentDeadline>) => {
    if (headers[RUN] !== run) return;
    const change = { ...value, status: 'expired', sequence: 1, at: Date.now() } as const;
    // The id makes one of two: a timer may be delivered twice.
    await producer.send(orderStatus, change, { id: changeId(run, value.order, 'expired'), headers: { [RUN]: run } });
  });
  return consumer;
}
