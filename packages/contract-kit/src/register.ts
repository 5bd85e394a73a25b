import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases/index.js';
import { certify } from './certificate.js';
import { type CaseResult, type ContractOptions, randomSeed, runContract, skipReason } from './runner.js';
import { BrokerMissing, type ContractTarget, type OpenTarget } from './target.js';

/** The parts of a test runner that the kit needs: the globals of jest and of vitest fit. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  test: ((name: string, run: () => Promise<void>) => void) & {
    readonly skip: (name: string, run: () => Promise<void>) => void;
  };
  beforeAll(run: () => Promise<void>, timeoutMs?: number): void;
  afterAll(run: () => Promise<void>, timeoutMs?: number): void;
}

/** What a test file may choose. */
export type RegisterOptions = Omit<ContractOptions, 'onResult'>;

/** Each case has a deadline of its own: this one is for what hangs between them. */
const RUN_TIMEOUT_MS = 1_200_000;

/**
 * Registers one test per case of the contract. Await it at the top of a test file. With `ANYMQ_TEST_RESULTS_DIR` the
 * certificate is written to `contract-<name>.json` there. With `ANYMQ_TEST_REQUIRE_BROKERS=1` a missing broker is a failure,
 * else one skipped test that names it. Picking tests by name hides results; it does not run fewer cases: `options.cases` does.
 */
export async function contract(
  target: ContractTarget,
  runner: TestRunner,
  options: RegisterOptions = {},
): Promise<void> {
  const opened = await open(target);
  if (opened instanceof BrokerMissing) {
    console.warn(`SKIPPED ${target.name}: ${opened.message}`);
    runner.describe(`${target.name} keeps the contract`, () => runner.test.skip(opened.message, async () => {}));
    return;
  }
  runner.describe(`${target.name} keeps the contract`, () => register(target.name, opened, runner, options));
}

async function open(target: ContractTarget): Promise<OpenTarget | BrokerMissing> {
  try {
    return await target.open();
  } catch (error) {
    if (error instanceof BrokerMissing && process.env.ANYMQ_TEST_REQUIRE_BROKERS !== '1') return error;
    throw error;
  }
}

function register(
  name: string,
  target: OpenTarget,
  { test, beforeAll, afterAll }: TestRunner,
  { cases: wanted = cases, seed = randomSeed(), ...rest }: RegisterOptions,
): void {
  let results: readonly CaseResult[] = [];
  // All of them here: between its tests jest refuses the lazy imports of an adapter.
  beforeAll(async () => {
    results = await runContract(target, { cases: wanted, seed, ...rest });
  }, RUN_TIMEOUT_MS);
  const { capabilities } = target.configure();
  for (const one of wanted) {
    const title = `law ${one.law} ${one.id}: ${one.title}`;
    const skipped = skipReason(one, capabilities);
    if (skipped !== undefined) test.skip(`${title} (${skipped})`, async () => {});
    else test(title, async () => report(results.find(({ id }) => id === one.id)));
  }
  afterAll(async () => {
    if (results.some(({ status }) => status === 'failed')) console.error(`${name}: this was seed ${seed}`);
    await write(name, target, results, seed);
    await target.close?.();
  }, RUN_TIMEOUT_MS);
}

function report(result: CaseResult | undefined): void {
  if (result === undefined) throw new Error('the case did not run');
  if (result.status === 'failed') throw result.error;
}

async function write(name: string, target: OpenTarget, results: readonly CaseResult[], seed: number): Promise<void> {
  const folder = process.env.ANYMQ_TEST_RESULTS_DIR;
  if (folder === undefined || results.length === 0) return;
  mkdirSync(folder, { recursive: true });
  const certificate = await certify(name, target, results, seed);
  writeFileSync(join(folder, `contract-${name}.json`), JSON.stringify(certificate, null, 2));
}
