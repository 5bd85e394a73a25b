/**
 * Which broker a topic goes to. Patterns are dotted words; `*` stands for exactly one word, `#` for any number, also none.
 *
 * The most specific pattern that matches wins: first the one with more literal words, then the one with fewer `#`, then the
 * longer one. Two that are equal in all three and name different brokers are an error when they leave a topic undecided.
 */

/** Pattern to broker name. */
export type Routes = Readonly<Record<string, string>>;

interface Route {
  readonly pattern: string;
  readonly words: readonly string[];
  readonly broker: string;
  readonly literals: number;
  readonly hashes: number;
}

const WORD = /^(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*|\*|#)$/;
const MAX_LENGTH = 200;
/** Topics are few in a service; the bound is for one that makes their names up. */
const MAX_CACHED = 10_000;
/** Real configurations need some dozens of steps; patterns made to explode are called ambiguous. */
const MAX_STEPS = 5_000;

/** What is wrong with a pattern, as the end of a sentence; undefined when nothing is. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_LENGTH) return `a pattern has at most ${MAX_LENGTH} characters`;
  const words = pattern.split('.');
  const wrong = words.find((word) => !WORD.test(word));
  if (wrong !== undefined) {
    return `'${wrong}' is no word of a pattern: use letters, digits and hyphens, '*' for one word or '#' for any number, like 'orders.*'`;
  }
  return words.some((word, index) => word === '#' && words[index + 1] === '#') ? "'#.#' is the same as '#'" : undefined;
}

/** Broker of a topic: that of the most specific route, else `fallback`. O(routes) for a new topic, then remembered. */
export function createRouter(routes: Routes, fallback: string): (topic: string) => string {
  const sorted = parse(routes);
  const known = new Map<string, string>();
  return (topic) => {
    const remembered = known.get(topic);
    if (remembered !== undefined) return remembered;
    const words = topic.split('.');
    const broker = sorted.find((route) => matches(route.words, words))?.broker ?? fallback;
    if (known.size >= MAX_CACHED) known.clear();
    known.set(topic, broker);
    return broker;
  };
}

export interface Ambiguity {
  readonly patterns: readonly [string, string];
  readonly brokers: readonly [string, string];
  /** One topic that no pattern decides. Undefined when the search was given up. */
  readonly topic: string | undefined;
}

/** Pairs of equally specific patterns that leave a topic undecided between two brokers. */
export function findAmbiguities(routes: Routes): readonly Ambiguity[] {
  const sorted = parse(routes);
  const found: Ambiguity[] = [];
  for (const [index, first] of sorted.entries()) {
    for (let next = index + 1; next < sorted.length; next += 1) {
      const second = sorted[next];
      if (second === undefined || bySpecificity(first, second) !== 0) break;
      if (first.broker === second.broker) continue;
      const stronger = sorted.slice(0, index).filter((route) => bySpecificity(route, first) < 0);
      const topic = undecided([first.words, second.words], stronger);
      if (topic !== null) {
        found.push({ patterns: [first.pattern, second.pattern], brokers: [first.broker, second.broker], topic });
      }
    }
  }
  return found;
}

/** Most specific first. */
function parse(routes: Routes): readonly Route[] {
  return Object.entries(routes)
    .map(([pattern, broker]) => {
      const words = pattern.split('.');
      const hashes = words.filter((word) => word === '#').length;
      const literals = words.filter((word) => word !== '#' && word !== '*').length;
      return { pattern, words, broker, literals, hashes };
    })
    .sort((a, b) => bySpecificity(a, b) || (a.pattern < b.pattern ? -1 : 1));
}

function bySpecificity(a: Route, b: Route): number {
  return b.literals - a.literals || a.hashes - b.hashes || b.words.length - a.words.length;
}

/** The usual walk with one way back, to the latest `#`: no more than words x pattern steps. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  let [at, word, hash, resume] = [0, 0, -1, 0];
  while (word < words.length) {
    if (pattern[at] === '#') [hash, resume, at] = [at, word, at + 1];
    else if (pattern[at] === '*' || (at < pattern.length && pattern[at] === words[word]))
      [at, word] = [at + 1, word + 1];
    else if (hash >= 0) [resume, at, word] = [resume + 1, hash + 1, resume + 1];
    else return false;
  }
  while (pattern[at] === '#') at += 1;
  return at === pattern.length;
}

/** How far one pattern can have got: indexes of the words it may expect next. */
type Reached = readonly number[];

interface Step {
  readonly topic: readonly string[];
  /** Of the two patterns, then of the stronger ones. */
  readonly reached: readonly Reached[];
}

/**
 * The shortest topic that both patterns match and no stronger one does: a breadth-first walk through all patterns at once.
 * Null when there is none, undefined when the walk takes too long.
 */
function undecided(pair: readonly [readonly string[], readonly string[]], stronger: readonly Route[]) {
  const patterns = [...pair, ...stronger.map((route) => route.words)];
  const alphabet = alphabetOf(patterns);
  const seen = new Set<string>();
  const queue: Step[] = [{ topic: [], reached: patterns.map((words) => skipHashes(words, [0])) }];
  for (let index = 0; index < queue.length; index += 1) {
    const step = queue[index];
    if (step === undefined || seen.size > MAX_STEPS) return undefined;
    for (const word of alphabet) {
      const next = advance(patterns, step, word);
      const key = JSON.stringify(next.reached);
      if (seen.has(key) || next.reached[0]?.length === 0 || next.reached[1]?.length === 0) continue;
      if (isUndecided(patterns, next)) return next.topic.join('.');
      seen.add(key);
      queue.push(next);
    }
  }
  return null;
}

/** All literal words, and one that stands for every other word. */
function alphabetOf(patterns: readonly (readonly string[])[]): ReadonlySet<string> {
  const words = new Set(patterns.flat().filter((word) => word !== '*' && word !== '#'));
  let other = 'x';
  while (words.has(other)) other += 'x';
  return words.add(other);
}

function advance(patterns: readonly (readonly string[])[], step: Step, word: string): Step {
  const reached = patterns.map((words, index) => {
    const next = (step.reached[index] ?? []).flatMap((at) => {
      if (words[at] === '#') return [at];
      return words[at] === '*' || words[at] === word ? [at + 1] : [];
    });
    return skipHashes(words, next);
  });
  return { topic: [...step.topic, word], reached };
}

/** A `#` may also stand for nothing. From the latest `#` on, everything before it is reachable too, so it is forgotten. */
function skipHashes(words: readonly string[], positions: Reached): Reached {
  const all = new Set(positions);
  for (const at of all) if (words[at] === '#') all.add(at + 1);
  const latest = Math.max(-1, ...[...all].filter((at) => words[at] === '#'));
  return [...all].filter((at) => at >= latest).sort((a, b) => a - b);
}

function isUndecided(patterns: readonly (readonly string[])[], step: Step): boolean {
  return patterns.every((words, index) => (step.reached[index]?.includes(words.length) ?? false) === index < 2);
}
