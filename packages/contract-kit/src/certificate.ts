import { readFileSync } from 'node:fs';
import type { CapabilityId, CapabilityLimits } from '@anymq/core/adapter';
import { CAPABILITY_IDS } from '@anymq/core/adapter';
import { LAWS } from './case.js';
import { cases } from './cases/index.js';
import type { CaseResult } from './runner.js';
import type { About, OpenTarget } from './target.js';

/** One row of the capability table, with what became of its proofs. */
export interface CertifiedRow {
  readonly id: CapabilityId;
  readonly level: 'native' | 'emulated' | 'unsupported';
  readonly note: string;
  /** Ids of the cases that hold the adapter to it, all of which passed unless `failed` names them. */
  readonly proofs: readonly string[];
  readonly failed: readonly string[];
}

/** How a law came out. */
export interface CertifiedLaw {
  readonly law: number;
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What one run of the contract found, for people and machines. Plain JSON. */
export interface Certificate {
  readonly format: 1;
  readonly target: string;
  readonly about: About & { readonly kit: string; readonly node: string };
  /** When the run ended, ISO 8601. */
  readonly date: string;
  readonly seed: number;
  /** Every case of the contract ran, and none failed: what was skipped was declared. */
  readonly kept: boolean;
  readonly laws: readonly CertifiedLaw[];
  readonly capabilities: readonly CertifiedRow[];
  readonly limits: CapabilityLimits;
  readonly cases: readonly (Omit<CaseResult, 'error'> & { readonly error?: string })[];
}

/** Ids of the cases that hold an adapter to a row of the capability table. */
export function proofsOf(row: CapabilityId): readonly string[] {
  return cases.filter(({ needs }) => needs.includes(row)).map(({ id }) => id);
}

/** Puts down what a run found. */
export async function certify(
  name: string,
  target: OpenTarget,
  results: readonly CaseResult[],
  seed: number,
): Promise<Certificate> {
  const configured = target.configure();
  const { rows, limits } = configured.capabilities;
  const about = { adapter: configured.name, ...(await target.about?.()) };
  const failed = new Set(results.filter(({ status }) => status === 'failed').map(({ id }) => id));
  const ran = new Set(results.map(({ id }) => id));
  return {
    format: 1,
    target: name,
    about: { ...about, kit: `@anymq/contract-kit ${kitVersion()}`, node: process.versions.node },
    date: new Date().toISOString(),
    seed,
    kept: failed.size === 0 && cases.every(({ id }) => ran.has(id)),
    laws: lawsOf(results),
    capabilities: CAPABILITY_IDS.map((id) => {
      const proofs = proofsOf(id).filter((proof) => ran.has(proof));
      const { level, note } = rows[id] ?? { level: 'unsupported', note: 'not declared' };
      return { id, level, note, proofs, failed: proofs.filter((proof) => failed.has(proof)) };
    }),
    limits,
    cases: results.map(({ error, ...rest }) => (error === undefined ? rest : { ...rest, error: textOf(error) })),
  };
}

function lawsOf(results: readonly CaseResult[]): CertifiedLaw[] {
  const laws = [...new Set(results.map(({ law }) => law))].sort((a, b) => a - b);
  return laws.map((law) => {
    const count = (status: CaseResult['status']): number =>
      results.filter((result) => result.law === law && result.status === status).length;
    return { law, title: LAWS[law] ?? '', passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  });
}

const textOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

function kitVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}
