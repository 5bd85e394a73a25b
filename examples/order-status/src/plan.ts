import { POISON_ARTICLE } from './catalogue.js';
import { seededRandom } from './random.js';

/** How long an order may stay unpaid. */
export const DEADLINE_MS = 3_000;
/** The one that nobody can handle at first must be paid, however slow the broker is on this machine: without it nothing is to be repaired. */
const POISON_DEADLINE_MS = 60_000;
const ORDERS_A_SECOND = 100;
const ARTICLES = ['chair', 'desk', 'lamp', 'shelf'] as const;
const NEVER_PAYS = 0.2;
const PAYS_AT_THE_DEADLINE = 0.1;
/** Who pays at the deadline pays so much before or after it: some are too late, and nobody knows who before the answer. */
const AT_THE_DEADLINE_MS = 200;

/** What will happen to one order. */
export interface PlannedOrder {
  readonly order: string;
  readonly article: string;
  /** After the beginning of the run. */
  readonly createAfterMs: number;
  /** After it was created; undefined: never. */
  readonly payAfterMs: number | undefined;
  /** After it was created it is too late. */
  readonly deadlineMs: number;
  /** Between its changes after it was paid. */
  readonly stepMs: number;
}

/** The same seed plans the same orders. One of them, paid in time, is of an article that the stock's catalogue lacks. */
export function planOf(orders: number, seed: number): readonly PlannedOrder[] {
  const random = seededRandom(seed);
  const poison = Math.floor(orders / 3);
  return Array.from({ length: orders }, (_, n) => {
    const planned = {
      order: `order-${String(n + 1).padStart(5, '0')}`,
      article: ARTICLES[Math.floor(random() * ARTICLES.length)] as string,
      createAfterMs: Math.round((n * 1_000) / ORDERS_A_SECOND),
      payAfterMs: payAfter(random),
      deadlineMs: DEADLINE_MS,
      stepMs: Math.round(50 + random() * 150),
    };
    return n === poison
      ? { ...planned, article: POISON_ARTICLE, payAfterMs: 200, deadlineMs: POISON_DEADLINE_MS }
      : planned;
  });
}

function payAfter(random: () => number): number | undefined {
  const fate = random();
  const when = random();
  if (fate < NEVER_PAYS) return undefined;
  if (fate < NEVER_PAYS + PAYS_AT_THE_DEADLINE) return DEADLINE_MS + Math.round((when * 2 - 1) * AT_THE_DEADLINE_MS);
  return Math.round(100 + when * (DEADLINE_MS / 2));
}

/** The order that the stock cannot handle at first. */
export const poisonOf = (plan: readonly PlannedOrder[]): PlannedOrder =>
  plan.find(({ article }) => article === POISON_ARTICLE) as PlannedOrder;
