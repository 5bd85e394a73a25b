import { type BehaviourEvent, topCategory } from './event.js';

/** One category's way from looking to buying. */
export interface FunnelRow {
  readonly category: string;
  /** Sessions that viewed something of the category. */
  readonly views: number;
  /** Of these, sessions that then put something of it into the cart. */
  readonly carts: number;
  /** Sessions that viewed something of the category and then bought something of it. */
  readonly purchases: number;
  /** purchases / views, 4 decimals. */
  readonly conversion: number;
  /** What those purchases cost together, 2 decimals. */
  readonly revenue: number;
}

type Step = 'viewed' | 'carted' | 'bought';

interface Category {
  views: number;
  carts: number;
  purchases: number;
  /** Whole cents: sums of fractions would depend on the order of the sessions. */
  cents: number;
}

/**
 * Counts each session once per category and step, and a step only after the view: what came before it, or without it, is not
 * part of the funnel. So it is right only if a session's events come in order, whatever the order of the sessions. (Real
 * data has purchases without a cart event; they count as purchases.)
 */
export class Funnel {
  readonly #categories = new Map<string, Category>();
  readonly #reached = new Map<string, Set<Step>>();

  add(event: BehaviourEvent): void {
    const name = topCategory(event);
    const category = this.#category(name);
    // Neither part has a line break, so the pair is unmistakable.
    const reached = this.#steps(`${name}\n${event.user_session}`);
    if (event.event_type === 'view') {
      if (first(reached, 'viewed')) category.views += 1;
      return;
    }
    if (!reached.has('viewed')) return;
    if (event.event_type === 'cart') {
      if (first(reached, 'carted')) category.carts += 1;
      return;
    }
    if (first(reached, 'bought')) category.purchases += 1;
    category.cents += Math.round(event.price * 100);
  }

  /** By name of the category. */
  rows(): FunnelRow[] {
    const named = [...this.#categories].sort(([a], [b]) => (a < b ? -1 : 1));
    return named.map(([category, { views, carts, purchases, cents }]) => {
      const conversion = views === 0 ? 0 : Math.round((purchases / views) * 10_000) / 10_000;
      return { category, views, carts, purchases, conversion, revenue: cents / 100 };
    });
  }

  #category(name: string): Category {
    let category = this.#categories.get(name);
    if (category === undefined) {
      category = { views: 0, carts: 0, purchases: 0, cents: 0 };
      this.#categories.set(name, category);
    }
    return category;
  }

  #steps(key: string): Set<Step> {
    let steps = this.#reached.get(key);
    if (steps === undefined) {
      steps = new Set();
      this.#reached.set(key, steps);
    }
    return steps;
  }
}

function first(reached: Set<Step>, step: Step): boolean {
  if (reached.has(step)) return false;
  reached.add(step);
  return true;
}
