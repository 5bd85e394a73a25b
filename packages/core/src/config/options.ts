/** A look into a zod schema: which options there are, at which path, and what each accepts. */
import type { z } from 'zod';
import type { Path } from './problems.js';
import { environmentName } from './words.js';

type Schema = z.core.$ZodType;

/** The parts of zod's definitions that are read here; by shape, because an adapter may bring another copy of zod 4. */
interface Definition {
  readonly type: string;
  readonly innerType?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly in?: Schema;
  readonly out?: Schema;
  readonly left?: Schema;
  readonly right?: Schema;
  readonly element?: Schema;
  readonly getter?: () => Schema;
}

/** One option, also nested, with everything that it may be: more than one schema where a union has it several times. */
export interface Option {
  readonly path: readonly string[];
  readonly schemas: readonly Schema[];
}

/** Options by their part of an environment variable, `SASL_PASSWORD`. More than one under a name is an ambiguity. */
export type OptionIndex = ReadonlyMap<string, readonly Option[]>;

/** A schema that contains itself has no end of options. */
const MAX_DEPTH = 6;

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

export function indexOptions(schema: Schema): OptionIndex {
  const byPath = new Map<string, Option>();
  collect(schema, [], byPath);
  const index = new Map<string, Option[]>();
  for (const option of byPath.values()) {
    const name = option.path.map(environmentName).join('_');
    index.set(name, [...(index.get(name) ?? []), option]);
  }
  return index;
}

function collect(schema: Schema, path: readonly string[], into: Map<string, Option>): void {
  if (path.length >= MAX_DEPTH) return;
  for (const [key, child] of children(schema)) {
    const childPath = [...path, key];
    const id = JSON.stringify(childPath);
    into.set(id, { path: childPath, schemas: [...(into.get(id)?.schemas ?? []), child] });
    collect(child, childPath, into);
  }
}

/** Keys that the object at `path` knows; none where it is no object of fixed keys. */
export function keysAt(schema: Schema, path: Path): readonly string[] {
  let here: readonly Schema[] = [schema];
  for (const part of path)
    here = here.flatMap((each) => (typeof part === 'number' ? elements(each) : child(each, part)));
  return [...new Set(here.flatMap(children).map(([key]) => key))];
}

const child = (schema: Schema, key: PropertyKey): readonly Schema[] =>
  children(schema).flatMap(([name, each]) => (name === key ? [each] : []));

const children = (schema: Schema): readonly (readonly [string, Schema])[] =>
  branches(schema).flatMap((branch) => Object.entries(definition(branch).shape ?? {}));

const elements = (schema: Schema): readonly Schema[] =>
  branches(schema).flatMap((branch) => definition(branch).element ?? []);

const definition = (schema: Schema): Definition => schema._zod.def as Definition;

/** What is left of a schema without wrappers: several for a union. */
function branches(schema: Schema): readonly Schema[] {
  const parts = inside(definition(schema));
  return parts.length === 0 ? [schema] : parts.flatMap(branches);
}

function inside({ type, innerType, options, in: input, out, left, right, getter }: Definition): readonly Schema[] {
  if (type === 'union') return options ?? [];
  if (type === 'lazy') return given(getter?.());
  // z.preprocess() is a pipe that begins with a function: the schema stands behind it.
  if (type === 'pipe') return given(input && definition(input).type === 'transform' ? out : input);
  if (type === 'intersection') return [...given(left), ...given(right)];
  return given(innerType);
}

const given = (schema: Schema | undefined): readonly Schema[] => (schema === undefined ? [] : [schema]);
