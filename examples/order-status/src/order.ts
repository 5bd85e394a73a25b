import { defineTopic } from '@anymq/core';
import { z } from 'zod';

/** What becomes of an order that is paid in time, and of one that is not. */
export const PAID = ['created', 'paid', 'packed', 'shipped', 'delivered'] as const;
export const EXPIRED = ['created', 'expired'] as const;

const status = z.enum([...PAID, 'expired']);
/** How an order stands. */
export type Status = z.infer<typeof status>;

/** An order got another status. */
export const statusChange = z.object({
  order: z.string(),
  status,
  /** Place among the changes of its order, counted from 0: a change is applied after the one before it, or not at all. */
  sequence: z.int().nonnegative(),
  article: z.string(),
  /** Until when it must be paid, and when the change was decided: milliseconds since the Unix epoch. */
  deadline: z.int(),
  at: z.int(),
});

/** An order got another status. */
export type StatusChange = z.infer<typeof statusChange>;

/** Changes of one order are handled in the order in which they were sent. */
export const orderStatus = defineTopic('order.status', { schema: statusChange, key: ({ order }) => order });

const paymentDeadline = statusChange.pick({ order: true, article: true, deadline: true });

/** The time to pay is over: sent with a delay when an order is created, and cancelled when it is paid. */
export type PaymentDeadline = z.infer<typeof paymentDeadline>;

/** The time to pay is over: sent with a delay when an order is created, and cancelled when it is paid. */
export const orderExpiry = defineTopic('order.expiry', { schema: paymentDeadline, key: ({ order }) => order });

/** Header: which run sent the message. What an earlier one left on a real broker is acknowledged and ignored. */
export const RUN = 'run';

/** The place of a status in its order's life. */
export const sequenceOf = (status: Status): number => (status === 'expired' ? 1 : PAID.indexOf(status));

/** The same change has the same id, whoever sends it and how often: services ignore what they have applied. */
export const changeId = (run: string, order: string, status: Status): string => `${run}-${order}-${status}`;
