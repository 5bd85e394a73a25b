import { createHash } from 'node:crypto';
import { toItem } from './csv-source.js';
import { COLUMNS } from './event.js';
import type { Source } from './source.js';

const CATEGORIES = [
  'electronics.smartphone',
  'electronics.audio.headphone',
  'appliances.kitchen.washer',
  'computers.notebook',
  'apparel.shoes',
  'furniture.living_room.sofa',
  '',
];
const BRANDS = ['samsung', 'apple', 'xiaomi', 'lg', 'bosch', ''];
const START = Date.UTC(2019, 9, 1);
const ACTIVE_SESSIONS = 200;
const CART_CHANCE = 0.15;
const PURCHASE_CHANCE = 0.4;
const LEAVE_CHANCE = 0.1;

interface Session {
  readonly id: string;
  readonly user: number;
  /** What was viewed or put into the cart last. */
  product: { id: number; category: number; brand: number; price: number };
  step: 'view' | 'cart' | 'purchase';
}

/** `events` made-up events in the format of the real ones, through the same validation. The same seed gives the same events. */
export async function* generatedSource(events: number, seed: number): Source {
  const random = seededRandom(seed);
  const sessions: (Session | undefined)[] = Array.from({ length: ACTIVE_SESSIONS });
  let made = 0;
  for (let n = 0; n < events; n++) {
    const slot = Math.floor(random() * sessions.length);
    let session = sessions[slot];
    if (session === undefined || session.step === 'purchase' || random() < LEAVE_CHANCE) {
      session = newSession(random, seed, made++);
      sessions[slot] = session;
    } else advance(session, random);
    yield toItem(row(session, n), n + 2);
  }
}

function newSession(random: () => number, seed: number, index: number): Session {
  const id = createHash('sha256').update(`${seed}:${index}`).digest('hex');
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
  return { id: uuid, user: 500_000_000 + Math.floor(random() * 100_000), product: newProduct(random), step: 'view' };
}

function newProduct(random: () => number): Session['product'] {
  // Squared: the first categories are the popular ones.
  const category = Math.floor(random() ** 2 * CATEGORIES.length);
  const price = Math.round(random() * 90_000 + 500) / 100;
  return {
    id: 1_000_000 + Math.floor(random() * 50_000),
    category,
    brand: Math.floor(random() * BRANDS.length),
    price,
  };
}

function advance(session: Session, random: () => number): void {
  if (session.step === 'cart' && random() < PURCHASE_CHANCE) session.step = 'purchase';
  else if (session.step === 'view' && random() < CART_CHANCE) session.step = 'cart';
  else {
    session.step = 'view';
    session.product = newProduct(random);
  }
}

function row({ id, user, product, step }: Session, n: number): string[] {
  const fields: Record<(typeof COLUMNS)[number], string> = {
    event_time: new Date(START + n * 100)
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, ' UTC'),
    event_type: step,
    product_id: String(product.id),
    category_id: `20530135${String(product.category).padStart(11, '0')}`,
    category_code: CATEGORIES[product.category] ?? '',
    brand: BRANDS[product.brand] ?? '',
    price: product.price.toFixed(2),
    user_id: String(user),
    user_session: id,
  };
  return COLUMNS.map((name) => fields[name]);
}

/** Mulberry32: small, fast, good enough for made-up data. Numbers in [0, 1). */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
