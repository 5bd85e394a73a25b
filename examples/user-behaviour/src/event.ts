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

const TIME = /^\d{4}-(\d{2})-(\d{2}) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d UTC$/;
/** Sums of whole cents stay exact far beyond any input. */
const MAX_PRICE = 1_000_000_000;
/** What a key may have. */
const MAX_SESSION_BYTES = 256;

/** Ids have up to 19 digits: as numbers they would be rounded. */
const id = z.string().regex(/^\d{1,20}$/, 'must be 1 to 20 digits');
const word = z.string().max(256, 'must have at most 256 characters');

/** One event of a shop's click stream. */
export const behaviourEvent = z.object({
  event_time: z.string().refine(isTime, 'must be a time like 2019-10-01 00:00:00 UTC'),
  event_type: z.enum(['view', 'cart', 'purchase'], 'must be view, cart or purchase'),
  product_id: id,
  category_id: id,
  /** Dotted, like `electronics.smartphone`; empty when the shop does not know. */
  category_code: word,
  brand: word,
  price: z.number('must be a price like 12.50').nonnegative().max(MAX_PRICE, `must be at most ${MAX_PRICE}`),
  user_id: id,
  user_session: z
    .string()
    .min(1, 'must not be empty')
    .refine((text) => Buffer.byteLength(text) <= MAX_SESSION_BYTES, `must have at most ${MAX_SESSION_BYTES} bytes`),
});

/** One event of a shop's click stream. */
export type BehaviourEvent = z.infer<typeof behaviourEvent>;

function isTime(text: string): boolean {
  const [, month, day] = TIME.exec(text) ?? [];
  if (month === undefined || day === undefined) return false;
  // Date takes the 31st of February for the 3rd of March: then the month is another one.
  const date = new Date(Date.UTC(Number(text.slice(0, 4)), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1;
}

/** The first word of the category, `unknown` when there is none. */
export function topCategory({ category_code }: BehaviourEvent): string {
  const [first = ''] = category_code.split('.', 1);
  return first === '' ? 'unknown' : first;
}
