import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Happening, type Step, simulate, steps } from './support/simulation.js';

type Named<W extends Happening['what']> = Extract<Happening, { what: W }>;
const of = <W extends Happening['what']>(history: readonly Happening[], what: W): Named<W>[] =>
  history.filter((happening) => happening.what === what) as Named<W>[];

const numberOf = (id: string): number => Number(id.slice(1));

function checkNothingLost(history: readonly Happening[]): void {
  const settled = new Set<string>(of(history, 'settled').map(({ id }) => id));
  expect(of(history, 'stored').filter(({ id }) => !settled.has(id))).toEqual([]);
}

function checkOrderOfKeys(history: readonly Happening[]): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { id, key } of of(history, 'delivered')) {
    if (seen.has(id)) continue;
    seen.add(id);
    expect(numberOf(id)).toBeGreaterThan(last.get(key) ?? -1);
    last.set(key, numberOf(id));
  }
}

function checkSettledStaysSettled(history: readonly Happening[]): void {
  const final = new Set<string>();
  for (const happening of history) {
    if (happening.what === 'settled' && happening.certain) final.add(happening.id);
    if (happening.what === 'delivered') expect(final).not.toContain(happening.id);
  }
}

function checkRedelivered(history: readonly Happening[]): void {
  const seen = new Set<string>();
  for (const { id, redelivered } of of(history, 'delivered')) {
    expect({ id, redelivered }).toEqual({ id, redelivered: seen.has(id) });
    seen.add(id);
  }
}

function checkAttempts(history: readonly Happening[]): void {
  const held = new Map<string, number>();
  const known = new Map<string, number>();
  for (const happening of history) {
    if (happening.what === 'held') held.set(happening.id, (known.get(happening.id) ?? 0) + 1);
    if (happening.what !== 'delivered') continue;
    known.set(happening.id, happening.attempts);
    expect({ id: happening.id, attempts: happening.attempts }).toEqual({
      id: happening.id,
      attempts: held.get(happening.id) ?? 0,
    });
  }
}

/** @param mayOverlap a frozen member does not know yet that it lost what others own now */
function checkOneOwner(history: readonly Happening[], mayOverlap: boolean): void {
  const owners = new Map<string, Set<string>>();
  for (const happening of history) {
    if (happening.what !== 'owns' && happening.what !== 'ends') continue;
    const { source, by } = happening;
    const those = owners.get(source) ?? new Set();
    owners.set(source, those);
    if (happening.what === 'ends') those.delete(by);
    else those.add(by);
    if (!mayOverlap) expect({ source, owners: [...those] }).toEqual({ source, owners: [...those].slice(0, 1) });
  }
}

describe('any interleaving of joins, leaves, crashes, freezes and settlements', () => {
  test('loses nothing, keeps the order of every key, settles for good, tells the truth about redelivery and attempts', async () => {
    const property = fc.asyncProperty(fc.integer(), steps, async (seed, script) => {
      const history = await simulate(seed, script);
      checkNothingLost(history);
      checkOrderOfKeys(history);
      checkSettledStaysSettled(history);
      checkRedelivered(history);
      checkAttempts(history);
      checkOneOwner(
        history,
        script.some((step) => step.do === 'freeze'),
      );
    });
    await fc.assert(property, { numRuns: 150 });
  }, 120_000);

  test('is the same history for the same seed, and another one for other seeds', async () => {
    const script: Step[] = fc.sample(steps, { seed: 7, numRuns: 5 }).flat();
    const history = await simulate(1, script);
    expect(await simulate(1, script)).toEqual(history);
    const others = await Promise.all([2, 3, 4].map((seed) => simulate(seed, script)));
    expect(others.some((other) => JSON.stringify(other) !== JSON.stringify(history))).toBe(true);
  });
});
