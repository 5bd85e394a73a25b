import { randomUUID } from 'node:crypto';
import type { Capabilities } from '@anymq/core/adapter';
import type { ContractCase } from './case.js';
import { CaseContext } from './context.js';
import type { OpenTarget } from './target.js';

const TIMEOUT_MS = 45_000;

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

/** Why a case cannot run on this adapter, or undefined. A capability that is declared `unsupported` is the only reason of an adapter. */
export function skipReason(one: ContractCase, capabilities: Capabilities, target: OpenTarget): string | undefined {
  for (const id of one.needs ?? []) {
    const row = capabilities.rows[id];
    if (row.level === 'unsupported') return `${id} is unsupported: ${row.note}`;
  }
  for (const part of one.setUp ?? []) if (target[part] === undefined) return `the target has no ${part}()`;
  return undefined;
}

/** Runs one case in a namespace of its own, with one deadline. */
export async function runCase(one: ContractCase, target: OpenTarget): Promise<CaseResult> {
  const { capabilities } = target.configure();
  const { id, law, title, timeoutMs = TIMEOUT_MS } = one;
  const begin = performance.now();
  const base = { id, law, title };
  const reason = skipReason(one, capabilities, target);
  if (reason !== undefined) return { ...base, status: 'skipped', reason, durationMs: 0 };
  const namespace = freshNamespace();
  const error = await outcomeOf(
    one,
    target,
    new Deadline(timeoutMs),
    (deadline) => new CaseContext(target, capabilities, namespace, deadline),
  );
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
  deadline: Deadline,
  contextOf: (signal: AbortSignal) => CaseContext,
): Promise<unknown> {
  const context = contextOf(deadline.signal);
  try {
    await Promise.race([one.run(context), deadline.passed]);
    await context.close();
    return undefined;
  } catch (error) {
    return error ?? new Error('the case failed with nothing');
  } finally {
    deadline.stop();
    // Again after a failure: closing is idempotent.
    await context.close().catch(() => {});
    await target.cleanUp?.(context.namespace);
  }
}

class Deadline {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly passed: Promise<never>;

  constructor(timeoutMs: number) {
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
