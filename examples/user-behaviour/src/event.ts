import { z } from 'zod';

/** The columns of the input, in order. */
export const COLUMNS = [
  'event_time',
  'event_type',
  'product_id',
  'category_id',
  'category_code',
  'brand',
  'price',
  'user_id',
  'user_session',
] as const;

const TIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) UTC$/;
/** Ids have up to 19 digits: as numbers they would be rounded. */
const id = z.string().regex(/^\d{1,20}$/, 'must be 1 to 20 digits');

/** One event of a shop's click stream. */
export const behaviourEvent = z.object({
  event_time: z.string().refine((text) => isTime(text), 'must be a time like 2019-10-01 00:00:00 UTC'),
  event_type: z.enum(['view', 'cart', 'purchase']),
  product_id: id,
  category_id: id,
  /** Dotted, like `electronics.smartphone`; empty when the shop does not know. */
  category_code: z.string(),
  brand: z.string(),
  price: z.number('must be a price like 12.50').nonnegative(),
  user_id: id,
  user_session: z.string().min(1, 'must not be empty'),
});

/** One event of a shop's click stream. */
export type BehaviourEvent = z.infer<typeof behaviourEvent>;

function isTime(text: string): boolean {
  const [, date, time] = TIME.exec(text) ?? [];
  // Round trip, because Date takes the 31st of February for the 3rd of March.
  return date !== undefined && `${date}T${time}.000Z` === toIso(`${date}T${time}Z`);
}

function toIso(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

/** The first word of the category, `unknown` when there is none. */
export function topCategory({ category_code }: BehaviourEvent): string {
  const [first = ''] = category_code.split('.');
  return first === '' ? 'unknown' : first;
}
