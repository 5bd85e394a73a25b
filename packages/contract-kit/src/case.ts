import type { CapabilityId } from '@anymq/core/adapter';
import type { CaseContext } from './context.js';

/** One statement of the contract and how to find out whether it holds. */
export interface ContractCase {
  /** Stable for ever. */
  readonly id: string;
  /** Number of the law it belongs to. */
  readonly law: number;
  /** A sentence that is true of an adapter that keeps the contract. */
  readonly title: string;
  /** Skipped, with the row's note as the reason, where the adapter declares one of these `unsupported`. */
  readonly needs?: readonly CapabilityId[];
  /** What the target must be able to set up; skipped by name where it cannot. */
  readonly setUp?: readonly ('unreachable' | 'unauthorised' | 'native')[];
  /** @default 45_000 */
  readonly timeoutMs?: number;
  run(t: CaseContext): Promise<void>;
}

/** The cases of one law. */
export function law(number: number, cases: readonly Omit<ContractCase, 'law'>[]): readonly ContractCase[] {
  return cases.map((one) => Object.freeze({ ...one, law: number }));
}
