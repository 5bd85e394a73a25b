import { cases, type OpenTarget, runContract, tampered } from '@anymq/contract-kit';
import { describe, expect, test } from '@jest/globals';
import { target } from './support/target.js';

/** Those that nothing disturbs: enough to see what a run leaves behind or a layer takes away. */
const calm = cases.filter(({ disturbs, law }) => disturbs !== true && law <= 6);

const failuresOf = async (opened: OpenTarget): Promise<unknown[]> => {
  const results = await runContract(opened, { cases: calm });
  return results.filter(({ status }) => status === 'failed');
};

describe('the contract', () => {
  test('is kept again on the broker that a run has left', async () => {
    const opened = await target.open();
    expect(await failuresOf(opened)).toEqual([]);
    expect(await failuresOf(opened)).toEqual([]);
  }, 120_000);

  test('is kept by an adapter behind a layer that lets everything through', async () => {
    const opened = await target.open();
    const layered = { ...opened, configure: () => tampered(opened.configure(), () => ({ member: () => ({}) })) };
    expect(await failuresOf(layered)).toEqual([]);
  }, 120_000);
});
