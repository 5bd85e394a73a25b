import { randomUUID } from 'node:crypto';
import type { Capabilities } from '@anymq/core/adapter';
import type { ContractCase } from './case.js';
import { cases } from './cases/index.js';
import { CaseContext } from './context.js';
import type { OpenTarget } from './target.js';

const TIMEOUT_MS = 45_000;
/** More than handlers have by default to end: what is not closed then hangs. */
const CLOSE_TIMEOUT_MS = 40_000;
/** Cases of one target under way at once: most of their time is waiting for a broker. */
const AT_ONCE = 4;

/** What became of one case. */
export interface CaseResult {
  readonly id: string;
  readonly law: number;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  readonly reason?: string;
  readonly error?: unknown;
  readonly durationMs: number;
}

/** Which cases to run, and how. */
export interface RunOptions {
  /** Only the cases of this law. */
  readonly law?: number;
  /** Only the case with this id. */
  readonly case?: string;
  /** Cases under way at once. @default 4 */
  readonly atOnce?: number;
  /** Hears of each result as soon as it is there. */
  onResult?(result: CaseResult): void;
}

/**
 * Runs cases on an opened target, a few at once, each as soon as one before it is over. Resolves with the results in the
 * order of the cases; never rejects for what a case does. Knows no test runner.
 */
export async function runCases(target: OpenTarget, options: RunOptions = {}): Promise<readonly CaseResult[]> {
  const chosen = chosenOf(options);
  const results = new Map<string, CaseResult>();
  const left = [...chosen];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const result = await runCase(next, target);
      results.set(next.id, result);
      options.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce ?? AT_ONCE }, work));
  return chosen.flatMap(({ id }) => results.get(id) ?? []);
}

/** Nothing to run is a mistake in what was asked, not a success. */
function chosenOf({ law, case: id }: RunOptions): readonly ContractCase[] {
  const chosen = cases.filter((one) => (law === undefined || one.law === law) && (id === undefined || one.id === id));
  if (chosen.length > 0) return chosen;
  const laws = [...new Set(cases.map((one) => one.law))].join(', ');
  throw new RangeError(`There is no case ${id ?? ''} of law ${law ?? 'any'}. There are laws ${laws}.`);
}

/** Why a case cannot run on this adapter, or undefined. A capability that is declared `unsupported` is the only reason of an adapter. */
export function skipReason(one: ContractCase, capabilities: Capabilities, target: OpenTarget): string | undefined {
  for (const id of one.needs ?? []) {
    const row = capabilities.rows[id];
    if (row.level === 'unsupported') return `${id} is unsupported: ${row.note}`;
  }
  for (const part of one.setUp ?? []) if (target[part] === undefined) return `the target has no ${part}()`;
  return undefined;
}

/** Runs one case in a namespace of its own, with one deadline. Never rejects. */
export async function runCase(
  one: ContractCase,
  target: OpenTarget,
  closeTimeoutMs = CLOSE_TIMEOUT_MS,
): Promise<CaseResult> {
  const { capabilities } = target.configure();
  const { id, law, title, timeoutMs = TIMEOUT_MS } = one;
  const begin = performance.now();
  const base = { id, law, title };
  const reason = skipReason(one, capabilities, target);
  if (reason !== undefined) return { ...base, status: 'skipped', reason, durationMs: 0 };
  const deadline = new Deadline(timeoutMs, `the case took longer than ${timeoutMs} ms`);
  const context = new CaseContext(target, capabilities, freshNamespace(), deadline.signal);
  const failure = await firstFailure([
    () => deadline.bound(one.run(context)),
    () => closeWithin(context, closeTimeoutMs),
    async () => target.cleanUp?.(context.namespace),
  ]);
  const durationMs = Math.round(performance.now() - begin);
  return failure === undefined
    ? { ...base, status: 'passed', durationMs }
    : { ...base, status: 'failed', error: failure.error, durationMs };
}

/** A namespace that nothing else uses, so that a case on a dirty broker sees nothing of others. */
const freshNamespace = (): string => `kit-${randomUUID().slice(0, 8)}`;

/** Does every step, whatever the ones before did. */
async function firstFailure(
  steps: readonly (() => Promise<unknown>)[],
): Promise<{ readonly error: unknown } | undefined> {
  let first: { readonly error: unknown } | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      first ??= { error };
    }
  }
  return first;
}

/** An adapter whose close hangs must fail a case, not stop the run. */
async function closeWithin(context: CaseContext, timeoutMs: number): Promise<void> {
  const deadline = new Deadline(timeoutMs, `closing what the case opened took longer than ${timeoutMs} ms`);
  await deadline.bound(context.close());
}

/** How long the waits of a case, which say what they waited for, may speak before the deadline does. */
const GRACE_MS = 500;

class Deadline {
  readonly #abort = new AbortController();
  readonly #late: Promise<never>;
  #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, message: string) {
    let reject = (_: Error): void => {};
    this.#late = new Promise((_, refuse) => {
      reject = refuse;
    });
    this.#late.catch(() => {});
    this.#timer = setTimeout(() => {
      this.#abort.abort();
      this.#timer = setTimeout(() => reject(new Error(message)), GRACE_MS);
    }, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** `work`, or the deadline's error if that comes first; leaves no timer. */
  async bound(work: Promise<void>): Promise<void> {
    try {
      await Promise.race([work, this.#late]);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}
