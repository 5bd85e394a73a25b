import { contract } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { target } from './support/target.js';

// The kit runs cases beside each other while jest reports them one by one, and jest refuses the adapter's import() of its
// client between two tests: let all of them end within a hook.
const ended: Promise<unknown>[] = [];
const within = (name: string, run: () => Promise<void>, timeoutMs?: number): void => {
  const result = run();
  ended.push(result.catch(() => {}));
  test(name, () => result, timeoutMs);
};
await contract(target, { describe, test: Object.assign(within, { skip: test.skip }), afterAll });
beforeAll(() => Promise.all(ended), 600_000);
