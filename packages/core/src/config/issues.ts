/** From what zod says to what a person can act on. */
import type { z } from 'zod';
import { keysAt } from './options.js';
import { found, isRecord, type Origins, type Path, type Problems } from './problems.js';
import { listed, suggestion } from './words.js';

type Issue = z.core.$ZodIssue;

interface Checked {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  /** Where `value` stands in the configuration. */
  readonly at: Path;
}

/** Checks, adds a problem for whatever is wrong, and returns the value with its defaults; undefined when it is wrong. */
export async function check<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  at: Path,
  { problems, origins }: { readonly problems: Problems; readonly origins: Origins },
): Promise<Output | undefined> {
  const result = await schema.safeParseAsync(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues.flatMap(flatten)) {
    for (const sentence of describe(issue, { schema, value, at }, origins)) problems.add(sentence);
  }
  return undefined;
}

function describe(issue: Issue, { schema, value, at }: Checked, origins: Origins): readonly string[] {
  const path = [...at, ...issue.path];
  if (issue.code !== 'unrecognized_keys') {
    return [`${origins.place(path)}: found ${found(valueAt(value, issue.path), path)}; ${expectation(issue.message)}`];
  }
  const known = keysAt(schema, issue.path).filter((key) => key !== '$schema');
  return issue.keys.map((key) => {
    const hint = suggestion(key, known) || (known.length > 0 ? ` Known keys: ${listed(known)}.` : '');
    return `${origins.place([...path, key])}: this key is unknown.${hint}`;
  });
}

/** zod's own words, less what the sentence says already: `expected number to be >=1`. */
function expectation(message: string): string {
  return message
    .replace(/^(?:Invalid (?:input|option|string|number)|Too (?:small|big)): /, '')
    .replace(/, received .*$/, '')
    .replace(/^expected int$/, 'expected a whole number')
    .replace(/^Invalid discriminator value\. Expected/, 'expected')
    .replace(/^Invalid /, 'expected a valid ')
    .replace(/\.$/, '');
}

/** A union's issue is a list of what each alternative has to say: the one that came furthest says it best. */
function flatten(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const fitting = issue.errors.filter((errors) => !errors.some((error) => error.path.length === 0 && isOther(error)));
  const [best] = fitting.toSorted((a, b) => a.length - b.length);
  if (best !== undefined) {
    return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(flatten);
  }
  const alternatives = issue.errors.flatMap((errors) => errors.slice(0, 1)).map((error) => expectation(error.message));
  const message = [...new Set(alternatives)].map((text) => text.replace(/^expected /, '')).join(' or ');
  return [{ ...issue, errors: [], message: `expected ${message}` }];
}

/** The value is not even of this alternative's kind. */
const isOther = (issue: Issue): boolean => issue.code === 'invalid_type' || issue.code === 'invalid_value';

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const part of path) {
    if (!isRecord(here) && !Array.isArray(here)) return undefined;
    here = Object.hasOwn(here, part) ? Reflect.get(here, part) : undefined;
  }
  return here;
}
