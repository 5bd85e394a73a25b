import { invalidArgument } from '../errors.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';

/** How long a message waits before its next handler call. Made by {@link fixed}, {@link exponential} or {@link steps}. */
export type RetryBackoff =
  | { readonly kind: 'fixed'; readonly delayMs: number }
  | ({ readonly kind: 'exponential' } & Required<ExponentialOptions>)
  | { readonly kind: 'steps'; readonly delaysMs: readonly number[] };

/** What {@link exponential} takes. */
export interface ExponentialOptions {
  /** The first wait, milliseconds, 1-2,147,483,647. */
  readonly initialMs: number;
  /** The longest wait, milliseconds, `initialMs` to 2,147,483,647. */
  readonly maxMs: number;
  /** How much longer each wait is than the one before, 1-100. @default 2 */
  readonly factor?: number;
  /** Draw each wait evenly between `initialMs` and that: what failed together does not come again together. @default true */
  readonly jitter?: boolean;
}

/** The longest that a timer of the machine can wait. */
const MAX_MS = 2_147_483_647;
const MAX_STEPS = 1_000;

/** Always the same wait, milliseconds, 0-2,147,483,647. */
export function fixed(delayMs: number): RetryBackoff {
  return Object.freeze({ kind: 'fixed', delayMs: delay('fixed()', delayMs, 0) });
}

/** Waits that grow from `initialMs` to `maxMs`. */
export function exponential(options: ExponentialOptions): RetryBackoff {
  checkObject('What exponential() takes', options);
  onlyKnown('exponential()', options, ['initialMs', 'maxMs', 'factor', 'jitter']);
  const { factor = 2, jitter = true } = options;
  const initialMs = delay('initialMs', options.initialMs, 1);
  const maxMs = delay('maxMs', options.maxMs, initialMs);
  if (typeof factor !== 'number' || !(factor >= 1 && factor <= 100))
    throw invalidArgument(`factor must be a number from 1 to 100, found ${String(factor)}.`);
  if (typeof jitter !== 'boolean') throw invalidArgument(`jitter must be true or false, found ${String(jitter)}.`);
  return Object.freeze({ kind: 'exponential', initialMs, maxMs, factor, jitter });
}

/** One wait after another, milliseconds, 0-2,147,483,647 each; the last repeats. 1-1,000 of them. */
export function steps(...delaysMs: number[]): RetryBackoff {
  if (delaysMs.length === 0 || delaysMs.length > MAX_STEPS)
    throw invalidArgument(`steps() takes 1 to ${MAX_STEPS} waits, found ${delaysMs.length}.`);
  return Object.freeze({
    kind: 'steps',
    delaysMs: Object.freeze(delaysMs.map((ms, at) => delay(`steps()[${at}]`, ms, 0))),
  });
}

function delay(name: string, value: number, min: number): number {
  if (value === undefined) throw invalidArgument(`${name} is missing. Give milliseconds.`);
  return integerIn(name, value, min, MAX_MS, min);
}

/** The same back-off, made anew: plain data may come from anywhere. Throws `INVALID_ARGUMENT`. */
export function checkBackoff(given: RetryBackoff): RetryBackoff {
  checkObject('retry.backoff', given);
  if (given.kind === 'fixed') return fixed(given.delayMs);
  if (given.kind === 'exponential') {
    const { kind: _, ...options } = given;
    return exponential(options);
  }
  if (given.kind === 'steps' && Array.isArray(given.delaysMs)) return steps(...given.delaysMs);
  throw invalidArgument('retry.backoff must come from fixed(), exponential() or steps().');
}

/** Milliseconds to wait after `failures` failed calls, 1 or more. */
export function delayOf(backoff: RetryBackoff, failures: number, random: () => number): number {
  if (backoff.kind === 'fixed') return backoff.delayMs;
  if (backoff.kind === 'steps') return backoff.delaysMs[Math.min(failures, backoff.delaysMs.length) - 1] as number;
  const { initialMs, maxMs, factor, jitter } = backoff;
  const longest = Math.min(maxMs, initialMs * factor ** (failures - 1));
  return Math.round(jitter ? initialMs + random() * (longest - initialMs) : longest);
}

/** The longest wait there can be. */
export function longestOf(backoff: RetryBackoff): number {
  if (backoff.kind === 'fixed') return backoff.delayMs;
  return backoff.kind === 'exponential' ? backoff.maxMs : Math.max(...backoff.delaysMs);
}
