/** Adapters by name: which module that is, and what it must export. */
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AdapterPackage } from '../adapter/spi.js';
import { isSchema } from './options.js';
import { found, isRecord, type Problems, reasonOf } from './problems.js';
import { suggestion } from './words.js';

/** Short names, for `@anymq/adapter-*`. */
const OWN = ['memory', 'kafka', 'rabbitmq', 'rocketmq'];
const CORE_FOLDER = dirname(fileURLToPath(import.meta.url));
const CONDITIONS = new Set(['import', 'node', 'module-sync', 'default']);

interface AdapterReference {
  /** What the configuration says: a short name, a package, or a path. */
  readonly name: string;
  /** Where it says so, for problems. */
  readonly place: string;
  /** Paths and packages are looked up from this folder; packages then from this package's own. */
  readonly folder: string;
}

/** Imports an adapter. No other part of AnyMQ does, so an adapter that no topic needs is never loaded. */
export async function loadAdapter(
  reference: AdapterReference,
  problems: Problems,
): Promise<AdapterPackage | undefined> {
  const { file, root } = await locate(reference);
  if (file !== undefined) return importAdapter(file, reference, problems);
  const { name, place } = reference;
  problems.add(
    root === undefined
      ? notFound(reference)
      : `${place}: found '${name}'; the package at ${root} exports no such module`,
  );
  return undefined;
}

async function importAdapter(file: string, reference: AdapterReference, problems: Problems) {
  try {
    return readExports(await import(pathToFileURL(file).href), file, reference, problems);
  } catch (error) {
    const reason = reasonOf(error).split('\n')[0];
    problems.add(`${reference.place}: '${reference.name}', found at ${file}, cannot be loaded: ${reason}`, error);
    return undefined;
  }
}

const isPath = (name: string): boolean => /^\.{1,2}[\\/]/.test(name) || name.startsWith('file:') || isAbsolute(name);

const packageOf = (name: string): string => (OWN.includes(name) ? `@anymq/adapter-${name}` : name);

function notFound({ name, place, folder }: AdapterReference): string {
  if (isPath(name)) return `${place}: found '${name}'; there is no file ${toFile(name, folder)}`;
  const tried = `${place}: found '${name}'; package ${packageOf(name)} is not installed for ${folder}`;
  // No install line for a misspelt name: somebody may have published a package under it.
  const near = OWN.includes(name) ? '' : suggestion(name, OWN);
  return `${tried}.${near || ` To install it: npm install ${packageName(packageOf(name))}`}`;
}

const toFile = (name: string, folder: string): string =>
  name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);

/** `@acme/queue/adapter` is in `@acme/queue`. */
const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Neither: there is no such module. Only `root`: the package is there, the module is not. */
interface Location {
  readonly file?: string | undefined;
  readonly root?: string | undefined;
}

async function locate({ name, folder }: AdapterReference): Promise<Location> {
  if (isPath(name)) {
    const file = toFile(name, folder);
    return (await isFile(file)) ? { file } : {};
  }
  // The application's own copy first: in a repository of many packages this one may be hoisted above it.
  const own = await findPackage(packageOf(name), folder);
  return own.file === undefined && own.root === undefined ? findPackage(packageOf(name), CORE_FOLDER) : own;
}

/**
 * The file of a package as `import` would find it from `folder`. Node 20 can resolve from its own module only, and `require`
 * refuses packages that are for `import` alone: so their `exports` are read here, and `require` finds all others.
 */
async function findPackage(specifier: string, folder: string): Promise<Location> {
  const name = packageName(specifier);
  for (const parent of parents(folder)) {
    const root = join(parent, 'node_modules', name);
    const manifest = await readManifest(root);
    if (manifest === undefined) continue;
    const target = exported(manifest, `.${specifier.slice(name.length)}`);
    return { root, file: target === undefined ? required(specifier, folder) : join(root, target) };
  }
  return { file: required(specifier, folder) };
}

function required(specifier: string, folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'noop.js')).resolve(specifier);
  } catch {
    return undefined;
  }
}

function* parents(folder: string): Generator<string> {
  for (let here = folder; ; here = dirname(here)) {
    yield here;
    if (here === dirname(here)) return;
  }
}

async function readManifest(root: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** The file that `exports` names for a subpath. */
function exported(manifest: unknown, subpath: string): string | undefined {
  const exports = isRecord(manifest) ? manifest.exports : undefined;
  const perSubpath = isRecord(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  if (perSubpath) return conditional(exports[subpath]);
  return subpath === '.' ? conditional(exports) : undefined;
}

function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return target.map(conditional).find((each) => each !== undefined);
  if (!isRecord(target)) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const file = CONDITIONS.has(condition) ? conditional(inner) : undefined;
    if (file !== undefined) return file;
  }
  return undefined;
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );

/** `export const adapter`, a default export, or either of them behind the default export that CommonJS modules get. */
function readExports(
  module: Readonly<Record<string, unknown>>,
  file: string,
  { name, place }: AdapterReference,
  problems: Problems,
): AdapterPackage | undefined {
  const fallback = module.default;
  const value = module.adapter ?? (isRecord(fallback) && fallback.adapter !== undefined ? fallback.adapter : fallback);
  if (isAdapterPackage(value)) return value;
  const lacks = value === undefined ? `exports no 'adapter'` : `exports as 'adapter' ${found(value, [])} that is none`;
  problems.add(
    `${place}: '${name}', found at ${file}, ${lacks}. An adapter is { name, optionsSchema: a zod 4 object, configure }`,
  );
  return undefined;
}

function isAdapterPackage(value: unknown): value is AdapterPackage {
  return (
    isRecord(value) &&
    typeof value.name === 'string' &&
    isSchema(value.optionsSchema) &&
    typeof value.configure === 'function'
  );
}
