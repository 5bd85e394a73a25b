import { cases, type Hunt, hunt, runContract, saboteurs } from '@anymq/contract-kit';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { target } from './support/target.js';

/** Saboteurs at once: those that are killed by a deadline only wait. */
const AT_ONCE = 8;
const TIMEOUT_MS = 6_000;

describe('every saboteur is killed', () => {
  const hunts = new Map<string, Hunt>();

  beforeAll(async () => {
    const queue = [...saboteurs];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        hunts.set(next.name, await hunt(target, next, { timeoutMs: TIMEOUT_MS }));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }, 180_000);

  test('there are at least 20, with names of their own', () => {
    expect(saboteurs.length).toBeGreaterThanOrEqual(20);
    expect(new Set(saboteurs.map(({ name }) => name)).size).toBe(saboteurs.length);
  });

  for (const { name, killedBy } of saboteurs)
    test(`${name} is killed by ${killedBy.join(', ')}`, () => {
      expect(killedBy.length).toBeGreaterThan(0);
      expect([...(hunts.get(name)?.killedBy ?? [])].sort()).toEqual([...killedBy].sort());
    });

  // With each case's own deadline: a slow machine must not look like a defect of memory.
  test('memory as it is passes all of these cases', async () => {
    const named = new Set(saboteurs.flatMap(({ killedBy }) => killedBy));
    const killers = cases.filter(({ id }) => named.has(id));
    const results = await runContract(await target.open(), { cases: killers });
    expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
  }, 600_000);
});
