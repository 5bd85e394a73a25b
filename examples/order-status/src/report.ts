import Table from 'cli-table3';
import { expiredIn } from './checks.js';
import type { Ledger } from './ledger.js';
import { SERVICES } from './reactions.js';
import type { Outcome } from './scenario.js';

const NUMBERS = {
  received: ({ received }: Ledger) => received,
  applied: ({ applied }: Ledger) => applied,
  duplicates: ({ duplicates }: Ledger) => duplicates,
  retries: ({ retries }: Ledger) => retries,
  deadLetters: ({ deadLetters }: Ledger) => deadLetters,
  orderViolations: ({ violations }: Ledger) => violations,
  starts: ({ starts }: Ledger) => starts,
};

function ordersOf({ fates, ledgers: { notice } }: Outcome) {
  const count = (wanted: string): number => [...fates.values()].filter((fate) => fate === wanted).length;
  const late = expiredIn(notice).map(({ at, deadline }) => at - deadline);
  return {
    created: fates.size,
    paid: count('paid'),
    unpaid: count('unpaid'),
    paidTooLate: count('refused'),
    expired: late.length,
    // Each order that was paid in time had its timer cancelled: nothing else makes it a paid one.
    cancelledTimers: count('paid'),
    latestExpiryMs: Math.max(0, ...late),
  };
}

/** The result as one JSON object. */
export function toJson(engine: string, outcome: Outcome, problems: readonly string[]): string {
  const services = SERVICES.map((name) => {
    const numbers = Object.entries(NUMBERS).map(([what, of]) => [what, of(outcome.ledgers[name])]);
    return [name, Object.fromEntries(numbers)];
  });
  const { letters, redriven } = outcome;
  const deadLetters = { found: letters.length, redriven };
  return JSON.stringify({
    engine,
    orders: ordersOf(outcome),
    services: Object.fromEntries(services),
    deadLetters,
    problems,
  });
}

/** The result as tables for people. */
export function toTables(engine: string, outcome: Outcome): string {
  const style = { head: [], border: [] };
  const head = [
    '',
    'received',
    'applied',
    'duplicates ignored',
    'retries',
    'dead letters',
    'order violations',
    'starts',
  ];
  const services = new Table({ head, style, colAligns: ['left', ...head.slice(1).map(() => 'right' as const)] });
  for (const name of SERVICES) services.push([name, ...Object.values(NUMBERS).map((of) => of(outcome.ledgers[name]))]);
  const { created, paid, unpaid, paidTooLate, expired, cancelledTimers, latestExpiryMs } = ordersOf(outcome);
  const orders = new Table({ head: [`on ${engine}`, ''], style, colAligns: ['left', 'right'] });
  orders.push(
    ['orders', created],
    ['paid, timer cancelled', `${paid}, ${cancelledTimers}`],
    ['never paid', unpaid],
    ['paid too late', paidTooLate],
    ['expired', expired],
    ['latest expiry after its deadline', `${latestExpiryMs} ms`],
    ['dead letters redriven', `${outcome.redriven} of ${outcome.letters.length}`],
    ['seconds', outcome.seconds.toFixed(1)],
  );
  return `${orders}\n${services}`;
}
