/**
 * `ANYMQ_*` variables as overrides of the configuration. The prefix belongs to AnyMQ: a variable under it that is no key is an
 * error, so that a misspelt one never goes unnoticed. Left alone are only `ANYMQ_TEST_*`, which is for tools and tests, and
 * what container platforms set for a service that is called anymq.
 */
import { z } from 'zod';
import { indexOptions, type Option, type OptionIndex } from './options.js';
import { found, isRecord, type Origins, type Path, type Problems, pathText } from './problems.js';
import { configurationSchema } from './schema.js';
import { environmentName, listed, nearest } from './words.js';

export interface Variable {
  readonly name: string;
  readonly text: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A variable whose place in the configuration and whose value are known. */
interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

export interface Context {
  readonly problems: Problems;
  readonly origins: Origins;
}

export const BROKERS_PREFIX = 'ANYMQ_BROKERS_';
const ADAPTER_SUFFIX = '_ADAPTER';
const PLATFORM_NAME = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const PLATFORM_VALUE = /^(?:tcp|udp|sctp):\/\//;

/** All that are AnyMQ's, by name. */
export function readVariables(environment: Environment): readonly Variable[] {
  return Object.entries(environment)
    .flatMap(([name, text]) => (text !== undefined && isOurs(name, text) ? [{ name, text }] : []))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isOurs(name: string, text: string): boolean {
  if (!/^ANYMQ_/i.test(name) || name.startsWith('ANYMQ_TEST_')) return false;
  // A broker may well have an option called serviceHost: below its prefix nothing is the platform's.
  if (name.startsWith(BROKERS_PREFIX)) return true;
  return !PLATFORM_NAME.test(name) && !(name.endsWith('_PORT') && PLATFORM_VALUE.test(text));
}

export const isBrokerVariable = ({ name }: Variable): boolean => name.startsWith(BROKERS_PREFIX);

/** The broker's part of `ANYMQ_BROKERS_OFFICE_ADAPTER`, undefined for every other variable. */
export function brokerOfAdapterVariable({ name }: Variable): string | undefined {
  if (!name.startsWith(BROKERS_PREFIX) || !name.endsWith(ADAPTER_SUFFIX)) return undefined;
  return name.slice(BROKERS_PREFIX.length, -ADAPTER_SUFFIX.length) || undefined;
}

const TOP_LEVEL: OptionIndex = new Map(
  [...indexOptions(configurationSchema)].filter(([name]) => name !== '_SCHEMA' && name !== 'BROKERS'),
);

/** Names of the variables that stand at the top of a configuration. */
const TOP_LEVEL_VARIABLES: readonly string[] = [...TOP_LEVEL.keys()].map((name) => `ANYMQ_${name}`);

/**
 * `file` with the variables of its top level; others that are no broker's are problems. Keys in `code` were given to
 * `createMessaging` and stand above the environment.
 */
export async function overrideTopLevel(
  file: Readonly<Record<string, unknown>>,
  variables: readonly Variable[],
  code: ReadonlySet<string>,
  context: Context,
): Promise<Readonly<Record<string, unknown>>> {
  const pending: Pending[] = [];
  for (const variable of variables) {
    if (isBrokerVariable(variable)) continue;
    const options = TOP_LEVEL.get(variable.name.slice('ANYMQ_'.length));
    if (options === undefined || !variable.name.startsWith('ANYMQ_')) context.problems.add(unknownVariable(variable));
    else if (!code.has(options[0]?.path[0] ?? '')) pending.push({ variable, options });
  }
  return override(file, [], pending, context);
}

function unknownVariable({ name }: Variable): string {
  const hint = suggestVariable(name, TOP_LEVEL_VARIABLES);
  const keys = `Keys are ${listed(TOP_LEVEL_VARIABLES)} and ${BROKERS_PREFIX}<NAME>_<OPTION>; ANYMQ_TEST_* is left alone.`;
  return `${name} in the environment: this variable is unknown.${hint || ` ${keys}`}`;
}

/** By what is behind the prefix, which would make everything look alike. */
export function suggestVariable(name: string, known: readonly string[]): string {
  const [prefix] = /^ANYMQ_(?:BROKERS_)?/i.exec(name) ?? [''];
  const near = nearest(
    name.slice(prefix.length),
    known.flatMap((each) => (each.startsWith(prefix.toUpperCase()) ? [each.slice(prefix.length)] : [])),
  );
  return near === undefined ? '' : ` Did you mean ${prefix.toUpperCase()}${near}?`;
}

interface Pending {
  readonly variable: Variable;
  readonly options: readonly Option[];
}

/** `target`, which stands at `at`, with these variables put in: outer keys first, so that inner ones refine them. */
export async function override(
  target: Readonly<Record<string, unknown>>,
  at: Path,
  pending: readonly Pending[],
  context: Context,
): Promise<Readonly<Record<string, unknown>>> {
  const overrides = await Promise.all(pending.flatMap((each) => decide(each, at, context)));
  let result = target;
  for (const { variable, path, value } of overrides.toSorted((a, b) => a.path.length - b.path.length)) {
    const blocked = obstacle(result, path);
    if (blocked !== undefined) {
      const place = context.origins.place([...at, ...blocked.path]);
      context.problems.add(
        `${variable} sets ${pathText([...at, ...path])}, but ${place} is ${found(blocked.value, [...at, ...blocked.path])} and no object`,
      );
      continue;
    }
    context.origins.override([...at, ...path], variable);
    result = withValue(result, path, value);
  }
  return result;
}

function decide({ variable, options }: Pending, at: Path, { problems }: Context): readonly Promise<Override>[] {
  const [option, other] = options;
  if (option === undefined) return [];
  if (other === undefined) {
    return [read(variable.text, option).then((value) => ({ variable: variable.name, path: option.path, value }))];
  }
  const paths = options.map(({ path }) => pathText([...at, ...path])).join(' and ');
  problems.add(`${variable.name} in the environment may mean ${paths}. Set it in the configuration file`);
  return [];
}

/**
 * The first reading that the option accepts: as it stands, as JSON, as a list. When none is, the first that is at least of the
 * right kind, for the problem to be about the value: `found 5; expected number to be >=100`.
 */
async function read(text: string, { schemas }: Option): Promise<unknown> {
  const readings = readingsOf(text);
  const fits = await Promise.all(readings.map((reading) => fit(schemas, reading)));
  const best = Math.max(...fits);
  return best === NO_FIT ? text : readings[fits.indexOf(best)];
}

function readingsOf(text: string): readonly unknown[] {
  const json = readJson(text);
  if (typeof json === 'object' && json !== null) return [text, json];
  return [text, ...(json === undefined ? [] : [json]), text.split(',').map((item) => item.trim())];
}

const NO_FIT = 0;
const RIGHT_KIND = 1;
const ACCEPTED = 2;

async function fit(schemas: readonly z.core.$ZodType[], value: unknown): Promise<number> {
  const results = await Promise.all(schemas.map((schema) => z.safeParseAsync(schema, value)));
  return Math.max(...results.map(({ error }) => (error === undefined ? ACCEPTED : kindFit(error.issues))));
}

const kindFit = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_union'))
    ? NO_FIT
    : RIGHT_KIND;

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What on the way to `path` is no object. `true` is none either, but means one with all defaults, as in `tls: true`. */
function obstacle(
  target: unknown,
  path: readonly string[],
): { readonly path: readonly string[]; readonly value: unknown } | undefined {
  let here = target;
  for (const [index, part] of path.entries()) {
    if (here === undefined || here === true) return undefined;
    if (!isRecord(here)) return { path: path.slice(0, index), value: here };
    here = here[part];
  }
  return undefined;
}

/** A copy along the path: the file's own object may be frozen, or somebody else's. */
function withValue(
  target: unknown,
  [head, ...rest]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  const base = isRecord(target) ? target : {};
  if (head === undefined) return base;
  return { ...base, [head]: rest.length === 0 ? value : withValue(base[head], rest, value) };
}

/** The variable that sets an option of a broker, or its adapter. */
export const brokerVariable = (broker: string, option: string): string =>
  `${BROKERS_PREFIX}${environmentName(broker)}_${option}`;
