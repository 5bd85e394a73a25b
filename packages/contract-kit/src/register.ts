import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases/index.js';
import { rowResults } from './rows.js';
import { type CaseResult, runCases, skipReason } from './runner.js';
import { BrokerMissing, type ContractTarget, type OpenTarget } from './target.js';

/** The parts of a test runner that the kit needs: jest's globals fit. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  test: ((name: string, run: () => Promise<void>, timeoutMs?: number) => void) & {
    readonly skip: (name: string, run: () => Promise<void>) => void;
  };
  beforeAll(run: () => Promise<void>, timeoutMs?: number): void;
  afterAll(run: () => Promise<void>, timeoutMs?: number): void;
}

const RUN_TIMEOUT_MS = 600_000;

/**
 * Registers one test per case of the contract. Await it at the top of a test file. The results are also written to
 * `$ANYMQ_TEST_RESULTS_DIR/contract-<name>.json`. With `ANYMQ_TEST_REQUIRE_BROKERS=1` a missing broker is a failure.
 */
export async function contract(target: ContractTarget, runner: TestRunner): Promise<void> {
  const opened = await open(target);
  if (opened instanceof BrokerMissing) {
    registerMissing(target, runner, opened);
    return;
  }
  const results = new Map<string, CaseResult>();
  runner.describe(`${target.name} keeps the contract`, () => {
    // All of them here: between its tests jest refuses the lazy imports of an adapter.
    runner.beforeAll(async () => {
      for (const result of await runCases(opened)) results.set(result.id, result);
    }, RUN_TIMEOUT_MS);
    registerCases(opened, results, runner);
    runner.afterAll(async () => {
      writeRun(target.name, opened, [...results.values()]);
      await opened.close?.();
    }, RUN_TIMEOUT_MS);
  });
}

async function open(target: ContractTarget): Promise<OpenTarget | BrokerMissing> {
  try {
    return await target.open();
  } catch (error) {
    if (error instanceof BrokerMissing && process.env.ANYMQ_TEST_REQUIRE_BROKERS !== '1') return error;
    throw error;
  }
}

/** A case that is skipped is a skipped test, with the reason in its name: it must not look like a pass. */
function registerCases(target: OpenTarget, results: ReadonlyMap<string, CaseResult>, { test }: TestRunner): void {
  const { capabilities } = target.configure();
  for (const one of cases) {
    const name = `law ${one.law} ${one.id}: ${one.title}`;
    const reason = skipReason(one, capabilities, target);
    if (reason === undefined) test(name, async () => report(results.get(one.id)));
    else test.skip(`${name} (${reason})`, async () => {});
  }
}

function report(result: CaseResult | undefined): void {
  if (result === undefined) throw new Error('the case did not run');
  if (result.status === 'failed') throw result.error;
}

function registerMissing(target: ContractTarget, { describe, test }: TestRunner, { message }: BrokerMissing): void {
  console.warn(`SKIPPED ${target.name}: ${message}`);
  const skipped = cases.map(
    ({ id, law, title }): CaseResult => ({ id, law, title, status: 'skipped', reason: message, durationMs: 0 }),
  );
  write(target.name, { cases: skipped });
  describe(`${target.name} keeps the contract`, () => test.skip(message, async () => {}));
}

function writeRun(name: string, target: OpenTarget, results: readonly CaseResult[]): void {
  const rows = rowResults(target.configure().capabilities, results);
  for (const [id, { verdict }] of Object.entries(rows))
    if (verdict === 'unproven') console.warn(`UNPROVEN ${name}: it claims ${id}, and no case that proves it ran`);
  const written = results.map(({ error, ...rest }) =>
    error === undefined ? rest : { ...rest, error: String(error) },
  );
  write(name, { rows, cases: written });
}

function write(name: string, run: object): void {
  const folder = process.env.ANYMQ_TEST_RESULTS_DIR;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `contract-${name}.json`), JSON.stringify({ target: name, ...run }, null, 2));
}
