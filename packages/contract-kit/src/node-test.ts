import { after, before, describe, test } from 'node:test';
import { type RegisterOptions, contract as register, type TestRunner } from './register.js';
import type { ContractTarget } from './target.js';

/** {@link register} for `node --test`: await it at the top of a test file. */
export function contract(target: ContractTarget, options?: RegisterOptions): Promise<void> {
  const runner: TestRunner = {
    describe: (name, define) => void describe(name, define),
    test: Object.assign((name: string, run: () => Promise<void>) => void test(name, run), {
      skip: (name: string, run: () => Promise<void>) => void test(name, { skip: true }, run),
    }),
    beforeAll: (run, timeout) => before(run, timeout === undefined ? {} : { timeout }),
    afterAll: (run, timeout) => after(run, timeout === undefined ? {} : { timeout }),
  };
  return register(target, runner, options);
}
