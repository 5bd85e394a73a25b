import type { Ledger } from './ledger.js';
import { EXPIRED, PAID, type Status } from './order.js';
import type { ServiceName } from './reactions.js';
import type { Letter } from './repair.js';
import { MAX_ATTEMPTS } from './service.js';
import type { Fate } from './shop.js';

/** All that a run is judged by. */
export interface Evidence {
  readonly fates: ReadonlyMap<string, Fate>;
  readonly ledgers: Readonly<Record<ServiceName, Ledger>>;
  /** The order that the stock could not handle at first. */
  readonly poison: string;
  /** Of the stock, before it was repaired. */
  readonly letters: readonly Letter[];
  /** How many of them went back. */
  readonly redriven: number;
  /** Of all services, at the end. */
  readonly lettersLeft: number;
}

/** The changes that an order must have gone through. */
export const wantedOf = (fate: Fate): readonly Status[] => (fate === 'paid' ? PAID : EXPIRED);

/** A sentence for each thing that is wrong; none: the run is good. */
export function problemsOf(evidence: Evidence): readonly string[] {
  const services = Object.entries(evidence.ledgers) as [ServiceName, Ledger][];
  return [
    ...services.flatMap(([name, ledger]) => ordersOf(name, ledger, evidence.fates)),
    ...services.flatMap(([name, ledger]) => orderOf(name, ledger)),
    ...expiriesOf(evidence.ledgers.notice),
    ...crashOf(evidence.ledgers.shipping),
    ...(evidence.fates.get(evidence.poison) === 'paid' ? lettersOf(evidence) : unpaidPoison(evidence)),
  ];
}

const unpaidPoison = ({ poison }: Evidence): string[] => [
  `${poison}, which was to be poison, was not paid in time: nothing was repaired.`,
];

/** Nothing lost, nothing twice, nothing that should not be: paid orders go one way, all others the other. */
function ordersOf(name: ServiceName, ledger: Ledger, fates: ReadonlyMap<string, Fate>): string[] {
  const wrong = [...fates].flatMap(([order, fate]) => {
    const applied = ledger.changesOf(order).map(({ status }) => status);
    const wanted = wantedOf(fate);
    if (applied.join() === wanted.join()) return [];
    return [`${name}: ${order} (${fate}) went ${wayOf(applied)}, wanted ${wayOf(wanted)}.`];
  });
  const unknown = [...ledger.orders()].filter((order) => !fates.has(order));
  return [...firstOf(wrong), ...unknown.map((order) => `${name}: ${order} was never created.`)];
}

const MOST_SENTENCES = 3;

/** One fault may have touched every order. */
function firstOf(sentences: readonly string[]): readonly string[] {
  const more = sentences.length - MOST_SENTENCES;
  const first = sentences.slice(0, MOST_SENTENCES);
  return more > 0 ? [...first, `... and ${more} more orders like that.`] : first;
}

const wayOf = (statuses: readonly Status[]): string => (statuses.length === 0 ? 'nowhere' : statuses.join(' > '));

function orderOf(name: ServiceName, { violations }: Ledger): string[] {
  return violations === 0 ? [] : [`${name}: ${violations} changes came in another order than they were sent in.`];
}

function expiriesOf(ledger: Ledger): readonly string[] {
  const expired = expiredIn(ledger).filter(({ at, deadline }) => at < deadline);
  return firstOf(expired.map(({ order, at, deadline }) => `${order} expired ${deadline - at} ms before its deadline.`));
}

/** The changes that say so. */
export const expiredIn = (ledger: Ledger) =>
  [...ledger.orders()].flatMap((order) => ledger.changesOf(order).filter(({ status }) => status === 'expired'));

function crashOf({ starts }: Ledger): string[] {
  return starts === 2 ? [] : [`shipping was started ${starts} times, wanted 2: it was to be killed once.`];
}

function lettersOf({ poison, letters, redriven, lettersLeft }: Evidence): string[] {
  const found = letters.map(({ order, status, error }) => `${order} ${status} ${error}`);
  const wanted = PAID.slice(1).map((status, n) => `${poison} ${status} ${n === 0 ? 'UnknownArticle' : 'OutOfTurn'}`);
  const attempts = letters[0]?.attempts;
  return [
    ...(found.join() === wanted.join()
      ? []
      : [`Dead letters: found ${found.join(', ')}; wanted ${wanted.join(', ')}.`]),
    ...(attempts === undefined || attempts === MAX_ATTEMPTS
      ? []
      : [`The poison was given up after ${attempts} calls, wanted ${MAX_ATTEMPTS}.`]),
    ...(redriven === letters.length ? [] : [`${redriven} of ${letters.length} dead letters were redriven.`]),
    ...(lettersLeft === 0 ? [] : [`${lettersLeft} dead letters are left.`]),
  ];
}
