/** What was written, wherever it was written: code above environment above file. */
import { dirname, resolve } from 'node:path';
import type { MessagingOptions } from '../contract.js';
import { type Context, overrideTopLevel, readVariables, type Variable } from './environment.js';
import { FILE_NAMES, findFile, loadFile } from './load.js';
import { found, isRecord, Origins, type Problems } from './problems.js';
import { OPTION_KEYS, SHARED_KEYS } from './schema.js';
import { listed, suggestion } from './words.js';

export interface Sources {
  /** Everything but what variables say about brokers: that needs their adapters. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly variables: readonly Variable[];
  /** Paths and packages of adapters are looked up from here. */
  readonly folder: string;
  /** What to say when there turns out to be no broker. */
  readonly noBrokers: string;
  readonly context: Context;
}

/** Undefined when there is nothing to go on with: every further problem would only be a consequence. */
export async function gatherSources(options: MessagingOptions, problems: Problems): Promise<Sources | undefined> {
  if (!checkOptions(options, problems)) return undefined;
  const cwd = resolve(options.cwd ?? process.cwd());
  const given = Object.fromEntries(
    SHARED_KEYS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]] as const])),
  );
  return options.brokers === undefined
    ? gatherFromFile(options, cwd, given, problems)
    : gatherFromCode(options, cwd, given, problems);
}

/** False when not even a file can be looked for. */
function checkOptions(options: unknown, problems: Problems): boolean {
  if (!isRecord(options)) {
    problems.add(
      `the argument of createMessaging: found ${found(options, [])}; expected an object of options, or nothing`,
    );
    return false;
  }
  for (const key of Object.keys(options).filter((each) => !OPTION_KEYS.includes(each))) {
    const hint = suggestion(key, OPTION_KEYS) || ` Known options: ${listed(OPTION_KEYS)}.`;
    problems.add(`${key} given to createMessaging: this option is unknown.${hint}`);
  }
  const wrong = ['cwd', 'configFile'].filter((key) => options[key] !== undefined && typeof options[key] !== 'string');
  for (const key of wrong) {
    problems.add(`${key} given to createMessaging: found ${found(options[key], [])}; expected a path`);
  }
  return wrong.length === 0;
}

type Given = Readonly<Record<string, unknown>>;

function gatherFromCode({ configFile }: MessagingOptions, cwd: string, given: Given, problems: Problems): Sources {
  if (configFile !== undefined) {
    problems.add('configFile given to createMessaging: brokers are given too, so no file is read. Give one of them');
  }
  const context = { problems, origins: new Origins(undefined, SHARED_KEYS) };
  const noBrokers = `${context.origins.place(['brokers'])}: found none; expected at least one, like { local: { adapter: 'memory' } }`;
  return { settings: given, variables: [], folder: cwd, noBrokers, context };
}

async function gatherFromFile(
  { configFile, env = process.env }: MessagingOptions,
  cwd: string,
  given: Given,
  problems: Problems,
): Promise<Sources | undefined> {
  const place = await findFile(cwd, configFile, problems);
  if (place === undefined) return undefined;
  const { file } = place;
  const content = file === undefined ? {} : await loadFile(file, problems);
  if (content === undefined) return undefined;
  const variables = readVariables(env);
  const code = new Set(Object.keys(given));
  const context = { problems, origins: new Origins(file, code) };
  const settings = { ...(await overrideTopLevel(content, variables, code, context)), ...given };
  if (file === undefined) return { settings, variables, folder: cwd, noBrokers: nothingAt(cwd), context };
  const noBrokers = `brokers in ${file}: found none; expected at least one, like {"local":{"adapter":"memory"}}`;
  return { settings, variables, folder: dirname(file), noBrokers, context };
}

function nothingAt(cwd: string): string {
  return (
    `there is none. Looked for ${FILE_NAMES} in ${cwd} and for ANYMQ_BROKERS_<NAME>_ADAPTER in the environment. ` +
    'The smallest that works is anymq.config.json with {"brokers":{"local":{"adapter":"memory"}}}, ' +
    "or in code createMessaging({ brokers: { local: { adapter: 'memory' } } })"
  );
}
