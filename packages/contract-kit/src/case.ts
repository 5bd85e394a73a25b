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
  /** Rows of the capability table that it proves. Where an adapter declares one `unsupported` it is skipped: the only reason there is. */
  readonly needs: readonly CapabilityId[];
  /** It makes faults on a way to the broker, one that no other case uses meanwhile. @default false */
  readonly disturbs?: boolean;
  /** It counts what this process and the broker hold: it runs before all others, and nothing beside it. @default false */
  readonly alone?: boolean;
  /** @default 45_000 */
  readonly timeoutMs?: number;
  run(t: CaseContext): Promise<void>;
}

/** @param needs rows that every case of the law proves, besides its own */
export function law(
  number: number,
  needs: readonly CapabilityId[],
  cases: readonly (Omit<ContractCase, 'law' | 'needs'> & Partial<Pick<ContractCase, 'needs'>>)[],
): readonly ContractCase[] {
  return cases.map((one) =>
    Object.freeze({ ...one, law: number, needs: [...new Set([...needs, ...(one.needs ?? [])])] }),
  );
}

/** What each law says, in a few words: DESIGN section 5 and docs/delivery-semantics.md in full. */
export const LAWS: Readonly<Record<number, string>> = {
  1: 'Durable send',
  2: 'Fidelity',
  3: 'At least once, bounded',
  4: 'Groups',
  5: 'Start position',
  6: 'Order by key',
  7: 'Retry',
  8: 'Dead letter',
  9: 'Redrive',
  10: 'Delay',
  12: 'Batch',
  14: 'Backpressure',
  15: 'Lifecycle',
  16: 'Recovery',
  17: 'Errors',
};
