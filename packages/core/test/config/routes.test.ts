import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRouter, findAmbiguities, patternProblem } from '../../src/config/routes.js';

const route = (routes: Record<string, string>, topic: string): string => createRouter(routes, 'fallback')(topic);

/** The definition, word by word, with no thought of speed. */
function naive(pattern: readonly string[], topic: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return topic.length === 0;
  if (head === '#') return naive(rest, topic) || (topic.length > 0 && naive(pattern, topic.slice(1)));
  return topic.length > 0 && (head === '*' || head === topic[0]) && naive(rest, topic.slice(1));
}

const rank = (pattern: string): readonly number[] => {
  const words = pattern.split('.');
  const literals = words.filter((word) => word !== '*' && word !== '#').length;
  return [-literals, words.filter((word) => word === '#').length, -words.length];
};

const byRank = (a: string, b: string): number => {
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
};

/** Brokers of the most specific patterns that match: more than one is an ambiguity. */
function naiveBrokers(routes: Record<string, string>, topic: string): ReadonlySet<string> {
  const matching = Object.keys(routes).filter((pattern) => naive(pattern.split('.'), topic.split('.')));
  const [best] = matching.toSorted(byRank);
  if (best === undefined) return new Set(['fallback']);
  return new Set(matching.filter((pattern) => byRank(pattern, best) === 0).map((pattern) => routes[pattern] ?? ''));
}

const word = fc.constantFrom('a', 'b', 'c');
const topics = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('.'));
const patterns = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 5 })
  .map((words) => words.join('.'))
  .filter((pattern) => patternProblem(pattern) === undefined);
const tables = fc.dictionary(patterns, fc.constantFrom('x', 'y', 'z'), { maxKeys: 6 });

describe('routes', () => {
  test.each([
    [{ 'orders.*': 'x' }, 'orders.paid', 'x'],
    [{ 'orders.*': 'x' }, 'orders', 'fallback'],
    [{ 'orders.*': 'x' }, 'orders.paid.late', 'fallback'],
    [{ 'orders.#': 'x' }, 'orders', 'x'],
    [{ 'orders.#': 'x' }, 'orders.paid.late', 'x'],
    [{ '#.late': 'x' }, 'late', 'x'],
    [{ '#': 'x' }, 'anything.at-all', 'x'],
    [{ '#': 'x', 'orders.*': 'y', 'orders.paid': 'z' }, 'orders.paid', 'z'],
    [{ '#': 'x', 'orders.*': 'y', 'orders.#': 'z' }, 'orders.paid', 'y'],
    [{ 'a.#': 'x', 'a.*.#': 'y' }, 'a.b.c', 'y'],
    [{ 'orders.paid': 'x' }, 'Orders.paid', 'fallback'],
    [{ 'a.constructor': 'x' }, 'constructor', 'fallback'],
  ])('%j sends %s to %s', (routes, topic, broker) => {
    expect(route(routes as Record<string, string>, topic)).toBe(broker);
  });

  test('agrees with the naive matcher wherever that is of one mind', () => {
    fc.assert(
      fc.property(tables, topics, (routes, topic) => {
        const expected = naiveBrokers(routes, topic);
        if (expected.size === 1) expect(route(routes, topic)).toBe([...expected][0]);
        else expect([...expected]).toContain(route(routes, topic));
      }),
      { numRuns: 3000 },
    );
  });

  test('reports an ambiguity exactly when some topic has one, with such a topic', () => {
    const all = ['a', 'b', 'c', 'x'];
    const words = [1, 2, 3, 4, 5].flatMap((length) => combinations(all, length));
    fc.assert(
      fc.property(fc.dictionary(patterns, fc.constantFrom('x', 'y'), { maxKeys: 4 }), (routes) => {
        const found = findAmbiguities(routes);
        for (const { topic, brokers } of found) {
          if (topic === undefined) throw new Error('the search gave up on a small table');
          expect([...naiveBrokers(routes, topic)].sort()).toEqual([...brokers].sort());
        }
        if (words.some((topic) => naiveBrokers(routes, topic).size > 1)) expect(found).not.toHaveLength(0);
      }),
      { numRuns: 400 },
    );
  });

  test('a route that decides the overlap makes two equal ones right', () => {
    expect(findAmbiguities({ 'orders.*': 'x', '*.paid': 'y' })).toEqual([
      { patterns: ['*.paid', 'orders.*'], brokers: ['y', 'x'], topic: 'orders.paid' },
    ]);
    expect(findAmbiguities({ 'orders.*': 'x', '*.paid': 'y', 'orders.paid': 'y' })).toEqual([]);
    expect(findAmbiguities({ 'orders.*': 'x', '*.paid': 'x' })).toEqual([]);
    expect(findAmbiguities({ 'orders.*': 'x', 'users.*': 'y' })).toEqual([]);
  });

  test('patterns made to explode are called ambiguous in bounded time', () => {
    const deep = (last: string): string => `#.a.${'*.'.repeat(20)}${last}.#`;
    const routes = { [deep('b')]: 'x', [deep('c')]: 'y', [`#.a.a.${'*.'.repeat(19)}b.#.c`]: 'z' };
    expect(findAmbiguities(routes).length).toBeGreaterThan(0);
  });

  test('ten thousand topics are remembered, more are forgotten, none goes wrong', () => {
    const routes = createRouter({ 'a.*': 'x' }, 'fallback');
    for (let index = 0; index < 25_000; index += 1) expect(routes(`a.t${index}`)).toBe('x');
    expect(routes('b.t0')).toBe('fallback');
  });

  test.each(['', '.', 'a.', '.a', 'a..b', 'a_b', 'a b', 'a*', '**', 'a.#b', '-a', 'a-', 'a.#.#', 'é', 'x'.repeat(201)])(
    'refuses the pattern %j',
    (pattern) => expect(patternProblem(pattern)).toEqual(expect.any(String)),
  );

  test.each(['a', '#', '*', 'a.*.#', 'user-events.v2.*'])('accepts the pattern %j', (pattern) =>
    expect(patternProblem(pattern)).toBeUndefined(),
  );
});

function combinations(words: readonly string[], length: number): readonly string[] {
  if (length === 1) return words;
  return combinations(words, length - 1).flatMap((rest) => words.map((each) => `${rest}.${each}`));
}
