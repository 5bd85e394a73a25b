import { type Capabilities, CAPABILITY_IDS, type CapabilityId } from '@anymq/core/adapter';
import { cases } from './cases/index.js';
import type { CaseResult } from './runner.js';

/** What a run says about one row of the capability table. */
export interface RowResult {
  readonly level: 'native' | 'emulated' | 'unsupported';
  readonly note: string;
  /** Ids of the cases that stand for the row, by what became of them. */
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** `proven`: something passed and nothing failed. `unproven`: claimed, and no case of it ran. */
  readonly verdict: 'proven' | 'disproved' | 'unproven' | 'unsupported';
}

/** Holds the claims of an adapter against the results of a whole run. */
export function rowResults(
  capabilities: Capabilities,
  results: readonly CaseResult[],
): Readonly<Record<CapabilityId, RowResult>> {
  const rows = CAPABILITY_IDS.map((id) => [id, rowResult(id, capabilities, results)] as const);
  return Object.fromEntries(rows) as Record<CapabilityId, RowResult>;
}

function rowResult(id: CapabilityId, { rows }: Capabilities, results: readonly CaseResult[]): RowResult {
  const { level, note } = rows[id];
  const proofs = new Set(cases.filter(({ proves }) => proves.includes(id)).map((one) => one.id));
  const ids = (status: CaseResult['status']): string[] =>
    results.filter((result) => result.status === status && proofs.has(result.id)).map((result) => result.id);
  const [passed, failed, skipped] = [ids('passed'), ids('failed'), ids('skipped')];
  return { level, note, passed, failed, skipped, verdict: verdictOf(level, passed.length, failed.length) };
}

function verdictOf(level: RowResult['level'], passed: number, failed: number): RowResult['verdict'] {
  if (level === 'unsupported') return 'unsupported';
  if (failed > 0) return 'disproved';
  return passed > 0 ? 'proven' : 'unproven';
}
