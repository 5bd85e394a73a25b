import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases/index.js';
import { type CaseResult, runCase } from './runner.js';
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

/** Cases of one target under way at once: most of their time is waiting for a broker. */
const AT_ONCE = 4;
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
    runner.beforeAll(() => runAll(opened, results), RUN_TIMEOUT_MS);
    for (const { id, title, law } of cases)
      runner.test(`law ${law} ${id}: ${title}`, async () => report(results.get(id)));
    runner.afterAll(async () => {
      write(target.name, [...results.values()]);
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

/** A few cases at once, each as soon as one before it is over. */
async function runAll(target: OpenTarget, results: Map<string, CaseResult>): Promise<void> {
  const left = [...cases];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results.set(next.id, await runCase(next, target));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function report(result: CaseResult | undefined): void {
  if (result === undefined) throw new Error('the case did not run');
  if (result.status === 'failed') throw result.error;
  if (result.status === 'skipped') console.warn(`SKIPPED ${result.id}: ${result.reason}`);
}

function registerMissing(target: ContractTarget, { describe, test }: TestRunner, { message }: BrokerMissing): void {
  console.warn(`SKIPPED ${target.name}: ${message}`);
  write(
    target.name,
    cases.map(({ id, law, title }) => ({ id, law, title, status: 'skipped', reason: message, durationMs: 0 })),
  );
  describe(`${target.name} keeps the contract`, () => test.skip(message, async () => {}));
}

function write(name: string, results: readonly CaseResult[]): void {
  const folder = process.env.ANYMQ_TEST_RESULTS_DIR;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const order = new Map(cases.map(({ id }, i) => [id, i]));
  const sorted = [...results].sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  const written = sorted.map(({ error, ...rest }) => (error === undefined ? rest : { ...rest, error: String(error) }));
  writeFileSync(join(folder, `contract-${name}.json`), JSON.stringify({ target: name, cases: written }, null, 2));
}
