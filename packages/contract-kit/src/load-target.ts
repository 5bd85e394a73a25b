import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AdapterPackage, ConfiguredAdapter } from '@anymq/core/adapter';
import { resolve as resolvePackage } from 'import-meta-resolve';
import type { ContractTarget } from './target.js';

/** Options of an adapter, as a configuration file has them. */
export type AdapterOptions = Readonly<Record<string, unknown>>;

/** How to configure an adapter whose module brings no target. */
export interface LoadOptions {
  /** @default none */
  readonly options?: AdapterOptions;
  /** Options under which it finds no broker. Without them the cases about that fail. */
  readonly unreachable?: AdapterOptions;
}

/**
 * The target that a module exports as `target` or default, or one made of the adapter that it exports as `adapter` or
 * default. `module` is a path from the working folder, or a package installed for it. Rejects with one sentence.
 */
export async function loadTarget(module: string, how: LoadOptions = {}): Promise<ContractTarget> {
  const url = locate(module);
  const exported = await load(module, url);
  const candidates = [exported.target, exported.default, exported.adapter];
  const target = candidates.find(isTarget);
  if (target !== undefined) return target;
  const adapter = candidates.find(isAdapter);
  if (adapter !== undefined) return targetOf(url, adapter, how);
  const names = Object.keys(exported).join(', ') || 'nothing';
  throw new Error(
    `${module} exports ${names}. Export 'target', a ContractTarget { name, open }, or 'adapter', an AdapterPackage { name, optionsSchema, configure }.`,
  );
}

async function load(module: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(url);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint = code === 'ERR_UNKNOWN_FILE_EXTENSION' ? ' Compile it to JavaScript first.' : '';
    throw new Error(`${module} cannot be loaded: ${message ?? error}.${hint}`, { cause: error });
  }
}

function locate(module: string): string {
  const path = resolve(module);
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return pathToFileURL(path).href;
  if (/^[./]/.test(module)) throw new Error(`There is no file ${path}.`);
  try {
    return resolvePackage(module, pathToFileURL(`${process.cwd()}/`).href);
  } catch {
    throw new Error(`There is no file ${path}, and no package '${module}' is installed for ${process.cwd()}.`);
  }
}

/** For adapters that need no broker to be started; others bring a target, which says how to start and to reach theirs. */
function targetOf(module: string, adapter: AdapterPackage, { options = {}, unreachable }: LoadOptions): ContractTarget {
  // One for all: what runs inside the process meets nowhere else.
  const configured = configure(adapter, options, '--options');
  const away = unreachable && configure(adapter, unreachable, '--unreachable');
  const open = async () => ({
    configure: () => configured,
    process: () => ({ module, connection: options, unreachable: unreachable ?? options }),
    unreachable: () => {
      if (away !== undefined) return away;
      throw new Error(
        "Say how to configure the adapter for a broker that is not there: with --unreachable, or with unreachable() of a 'target'.",
      );
    },
  });
  return { name: adapter.name, open };
}

function configure(adapter: AdapterPackage, options: AdapterOptions, from: string): ConfiguredAdapter {
  const parsed = adapter.optionsSchema.safeParse(options);
  if (parsed.success) return adapter.configure(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
  throw new Error(`Adapter '${adapter.name}' refuses the options of ${from}: ${problems.join('; ')}.`);
}

const has = (value: unknown, method: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function';

const isTarget = (value: unknown): value is ContractTarget => has(value, 'open');
const isAdapter = (value: unknown): value is AdapterPackage =>
  has(value, 'configure') && 'optionsSchema' in (value as object);
