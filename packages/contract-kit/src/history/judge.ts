import type { CheckOptions, CheckResult } from './check.js';
import { checkCrashes } from './checks/crashes.js';
import { checkLost, checkPhantom, checkRefused } from './checks/delivered.js';
import { checkDuplicates } from './checks/duplicates.js';
import { checkHappened } from './checks/happened.js';
import { checkOrder, checkOverlap, checkSkip } from './checks/keys.js';
import { checkLetters, checkRedrives } from './checks/letters.js';
import { checkLiveness } from './checks/liveness.js';
import { checkConservation, checkFinality } from './checks/settled.js';
import type { History } from './history.js';

/** What all checkers together say of a history. */
export interface Verdict {
  /** `unknown`: nothing was violated, but something that must be known is not: see `unknown` of the checks. */
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly checks: readonly CheckResult[];
  /** All figures of all checks. */
  readonly figures: Readonly<Record<string, number>>;
}

const CHECKS: readonly ((history: History, options: CheckOptions) => CheckResult)[] = [
  checkHappened,
  checkLost,
  checkPhantom,
  checkRefused,
  checkDuplicates,
  checkOrder,
  checkOverlap,
  checkSkip,
  checkFinality,
  checkConservation,
  checkLetters,
  checkRedrives,
  checkCrashes,
  checkLiveness,
];

/** Holds a history to every checker. A violation outweighs what cannot be told. */
export function judge(history: History, options: CheckOptions = {}): Verdict {
  const all = CHECKS.map((check) => check(history, options));
  const checks = all.filter(({ name }) => !options.except?.includes(name));
  const figures = Object.assign({}, ...all.map((check) => check.figures));
  if (checks.some(({ violations }) => violations.length > 0)) return { verdict: 'fail', checks, figures };
  return { verdict: checks.every(({ ok }) => ok) ? 'pass' : 'unknown', checks, figures };
}
