import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases/index.js';
import { type CaseResult, freshNamespace, runCase } from './runner.js';
import { BrokerMissing, type ContractTarget, type OpenTarget } from './target.js';

/** The parts of a test runner that the kit needs: jest's globals fit. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  test: ((name: string, run: () => Promise<void>, timeoutMs?: number) => void) & {
    readonly skip: (name: string, run: () => Promise<void>) => void;
  };
  afterAll(run: () => Promise<void>, timeoutMs?: number): void;
}

/** Cases of one target under way at once: most of their time is waiting for a broker. */
const AT_ONCE = 4;
const TEST_TIMEOUT_MS = 600_000;

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
  const results: CaseResult[] = [];
  const run = startAll(opened, results);
  runner.describe(`${target.name} keeps the contract`, () => {
    cases.forEach(({ id, title, law }, i) => {
      runner.test(
        `law ${law} ${id}: ${title}`,
        async () => report(await (run[i] as Promise<CaseResult>)),
        TEST_TIMEOUT_MS,
      );
    });
    runner.afterAll(async () => {
      await Promise.all(run);
      write(target.name, results);
      await opened.close?.();
    }, TEST_TIMEOUT_MS);
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

/** Each case's result, in the order of the cases; a few run at once. */
function startAll(target: OpenTarget, results: CaseResult[]): Promise<CaseResult>[] {
  const namespace = freshNamespace();
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  return cases.map((one, i) => {
    const result = (lanes[i % AT_ONCE] as Promise<unknown>).then(() => runCase(one, target, namespace));
    lanes[i % AT_ONCE] = result;
    result.then((done) => results.push(done));
    return result;
  });
}

function report({ status, reason, error }: CaseResult): void {
  if (status === 'failed') throw error;
  if (status === 'skipped') console.warn(`SKIPPED: ${reason}`);
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
