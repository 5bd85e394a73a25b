import { randomInt, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Capabilities } from '@anymq/core/adapter';
import type { ContractCase } from './case.js';
import { cases } from './cases/index.js';
import { CaseContext } from './context.js';
import type { OpenTarget } from './target.js';

const TIMEOUT_MS = 45_000;
/** Cases of one target under way at once: most of their time is waiting for a broker. */
const AT_ONCE = 5;

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

/** How to run cases. */
export interface RunOptions {
  /** For everything random in the cases: the same seed, the same content. @default a random one */
  readonly seed?: number;
  /** Most time of one case in place of its own, milliseconds. */
  readonly timeoutMs?: number;
}

/** How to run the contract. */
export interface ContractOptions extends RunOptions {
  /** Cases to run. @default all */
  readonly cases?: readonly ContractCase[];
  /** Told as soon as a case is over. */
  readonly onResult?: (result: CaseResult) => void;
}

/** Runs cases, a few at once. Resolves with their results, in the order of the cases; never rejects for a case. */
export async function runContract(target: OpenTarget, options: ContractOptions = {}): Promise<readonly CaseResult[]> {
  const { cases: wanted = cases, onResult, seed = randomSeed(), timeoutMs } = options;
  const results = new Map<string, CaseResult>();
  const work = async (next: () => ContractCase | undefined): Promise<void> => {
    for (let one = next(); one !== undefined; one = next()) {
      const result = await runCase(one, target, { seed, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
      results.set(one.id, result);
      onResult?.(result);
    }
  };
  const alone = wanted.filter((one) => one.alone === true);
  const together = wanted.filter((one) => one.alone !== true);
  const calm = together.filter(({ disturbs }) => disturbs !== true);
  const disturbing = together.filter(({ disturbs }) => disturbs === true);
  const lanes = (count: number, next: () => ContractCase | undefined): Promise<void>[] =>
    Array.from({ length: count }, () => work(next));
  const { ways = 1 } = target;
  await work(() => alone.shift());
  await Promise.all([
    ...lanes(ways, () => disturbing.shift() ?? calm.shift()),
    ...lanes(AT_ONCE - ways, () => calm.shift()),
  ]);
  return wanted.map(({ id }) => results.get(id) as CaseResult);
}

/** A seed to run with and to print. */
export const randomSeed = (): number => randomInt(2 ** 31);

/** Why a case does not run on this adapter, or undefined: a capability that it declares `unsupported` is the only reason. */
export function skipReason(one: ContractCase, capabilities: Capabilities): string | undefined {
  for (const id of one.needs) {
    const row = capabilities.rows[id];
    if (row?.level === 'unsupported') return `${id} is unsupported: ${row.note}`;
  }
  return undefined;
}

/** Runs one case in a namespace of its own, with one deadline. */
export async function runCase(one: ContractCase, target: OpenTarget, options: RunOptions = {}): Promise<CaseResult> {
  const { capabilities } = target.configure();
  const { id, law, title } = one;
  const base = { id, law, title };
  const reason = skipReason(one, capabilities);
  if (reason !== undefined) return { ...base, status: 'skipped', reason, durationMs: 0 };
  const begin = performance.now();
  const error = await outcomeOf(one, target, capabilities, options);
  const durationMs = Math.round(performance.now() - begin);
  return error === undefined
    ? { ...base, status: 'passed', durationMs }
    : { ...base, status: 'failed', error, durationMs };
}

/** A namespace that nothing else uses, so that a case on a dirty broker sees nothing of others. */
const freshNamespace = (): string => `kit-${randomUUID().slice(0, 8)}`;

async function outcomeOf(
  one: ContractCase,
  target: OpenTarget,
  capabilities: Capabilities,
  { seed = randomSeed(), timeoutMs = one.timeoutMs ?? TIMEOUT_MS }: RunOptions,
): Promise<unknown> {
  const deadline = new Deadline(timeoutMs);
  const context = new CaseContext({
    target,
    capabilities,
    namespace: freshNamespace(),
    deadline: deadline.signal,
    seed,
  });
  try {
    await Promise.race([one.run(context), deadline.passed]);
    await Promise.race([context.close(), deadline.passed]);
    return undefined;
  } catch (error) {
    return error ?? new Error('the case failed with nothing');
  } finally {
    deadline.stop();
    // Again after a failure: closing is idempotent. An adapter that cannot close must not hold up the run.
    await within(Math.min(CLOSE_MS, timeoutMs), context.close());
    await target.cleanUp?.(context.namespace);
  }
}

const CLOSE_MS = 20_000;

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const timer = new Deadline(ms);
  await Promise.race([promise, timer.passed]).catch(() => {});
  timer.stop();
}

class Deadline {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly passed: Promise<never>;

  constructor(timeoutMs: number) {
    // Every wait of a case listens.
    setMaxListeners(0, this.#abort.signal);
    this.passed = new Promise((_, reject) => {
      // The waits of the case, which say what they waited for, speak before it.
      this.signal.addEventListener(
        'abort',
        () => setTimeout(() => reject(new Error(`the case took longer than ${timeoutMs} ms`)), 500),
        { once: true },
      );
    });
    this.passed.catch(() => {});
    this.#timer = setTimeout(() => this.#abort.abort(), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
