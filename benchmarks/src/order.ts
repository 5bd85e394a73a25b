import { z } from 'zod';

/** What every contestant sends and receives: about 1 KB of JSON. */
export const orderSchema = z.object({
  orderId: z.string(),
  customer: z.object({ id: z.string(), name: z.string(), email: z.string() }),
  items: z.array(
    z.object({ sku: z.string(), title: z.string(), quantity: z.number().int(), price: z.number().positive() }),
  ),
  note: z.string(),
  paid: z.boolean(),
  sequence: z.number().int(),
  /** Milliseconds, by the clock of the measuring process. */
  sentAt: z.number(),
});

export type Order = z.infer<typeof orderSchema>;

export const KEYS = 200;
const BODY_BYTES = 1024;

/** Made before anything is measured; each with a key of its own. */
const POOL: readonly Order[] = Array.from({ length: KEYS }, (_, key) => padded(template(key)));

export const keyOf = (order: Order): string => order.customer.id;

/** The next value to send. Values are made by the application, so making one is every contestant's cost. */
export function orderOf(sequence: number, sentAt = 0): Order {
  return { ...(POOL[sequence % KEYS] as Order), sequence, sentAt };
}

/** The value of a body, checked, as every contestant must hand it to its handler. */
export function checked(value: unknown): Order {
  const result = orderSchema['~standard'].validate(value);
  if (result instanceof Promise || result.issues !== undefined) throw new Error('the value does not fit the schema');
  return result.value;
}

/** What a raw client sends: the value checked and as JSON. */
export const encoded = (order: Order): Buffer => Buffer.from(JSON.stringify(checked(order)));

/** What a raw client hands to its handler. */
export const decoded = (body: Uint8Array | Buffer): Order => checked(JSON.parse((body as Buffer).toString('utf8')));

function template(key: number): Order {
  const items = Array.from({ length: 6 }, (_, item) => ({
    sku: `sku-${key}-${item}`,
    title: `A thing of the kind ${item} that somebody ordered`,
    quantity: item + 1,
    price: 9.5 + item,
  }));
  const customer = { id: `customer-${key}`, name: `Customer ${key}`, email: `customer-${key}@example.org` };
  return { orderId: `order-${key}`, customer, items, note: '', paid: true, sequence: 100_000, sentAt: 0 };
}

function padded(order: Order): Order {
  return { ...order, note: '.'.repeat(Math.max(0, BODY_BYTES - JSON.stringify(order).length)) };
}
