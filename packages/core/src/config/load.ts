/** Finds and reads the one configuration file. Nothing else is read: no rc file, no package.json, no .env, no parent folder. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JsonFault, parseJson } from './json.js';
import { found, isRecord, type Problems, reasonOf } from './problems.js';
import { listed } from './words.js';

const EXTENSIONS = ['.json', '.jsonc', '.js', '.mjs', '.cjs', '.ts', '.mts', '.yaml', '.yml'];
/** For sentences: what is looked for. */
export const FILE_NAMES = `anymq.config.{${EXTENSIONS.map((extension) => extension.slice(1)).join(',')}}`;

/** Where the configuration stands: an absolute path, or no file at all. */
interface Place {
  readonly file: string | undefined;
}

/** The configuration file in `cwd`, or the one that was given. Undefined after a problem, as when there are two. */
export async function findFile(cwd: string, given: string | undefined, problems: Problems): Promise<Place | undefined> {
  if (given !== undefined) return checkGiven(resolve(cwd, given), problems);
  const candidates = EXTENSIONS.map((extension) => resolve(cwd, `anymq.config${extension}`));
  const exists = await Promise.all(candidates.map(isFile));
  const files = candidates.filter((_, index) => exists[index]);
  if (files.length <= 1) return { file: files[0] };
  problems.add(`${files.join(' and ')} are all there. Keep one, or name one as configFile`);
  return undefined;
}

async function checkGiven(file: string, problems: Problems): Promise<Place | undefined> {
  if (!EXTENSIONS.includes(extname(file))) {
    problems.add(`configFile ${file}: expected a name that ends in ${listed(EXTENSIONS)}`);
  } else if (!(await isFile(file))) {
    problems.add(`configFile ${file}: there is no such file`);
  } else return { file };
  return undefined;
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );

/** The content of `file`, which is an object; undefined after a problem. */
export async function loadFile(
  file: string,
  problems: Problems,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value = await read(file);
    if (isRecord(value)) return value;
    problems.add(`${file}: found ${found(value, [])}; expected an object with brokers`);
  } catch (error) {
    addFault(file, error, problems);
  }
  return undefined;
}

async function read(file: string): Promise<unknown> {
  switch (extname(file)) {
    case '.json':
      return parseJson(await readFile(file, 'utf8'), 'json');
    case '.jsonc':
      return parseJson(await readFile(file, 'utf8'), 'jsonc');
    case '.js':
    case '.mjs':
    case '.cjs':
      return readModule(file);
    default:
      return readByC12(file);
  }
}

/** Node's own import: c12's loses the error of a module that the file imports, and goes on with an empty configuration. */
async function readModule(file: string): Promise<unknown> {
  const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
  const value = module.default;
  return typeof value === 'function' ? value() : value;
}

/** TypeScript and YAML. The library is loaded only for these, with everything off that looks elsewhere. */
async function readByC12(file: string): Promise<unknown> {
  const { loadConfig } = await import('c12');
  const { config, meta } = await loadConfig({
    name: 'anymq',
    cwd: dirname(file),
    configFile: file,
    envName: false,
    dotenv: false,
    rcFile: false,
    globalRc: false,
    packageJson: false,
    extend: false,
    giget: false,
    // The default one drops null, which then could not be refused.
    merger: (...sources) => sources.find((source) => source !== undefined) ?? {},
    // Its cache would leave the file, with what secrets it holds, as a copy in a temporary folder.
    jitiOptions: { fsCache: false },
  });
  // c12 takes this key out of the file: it goes back, to be refused like every unknown key.
  return isRecord(config) && Object.keys(meta ?? {}).length > 0 ? { ...config, $meta: meta } : config;
}

interface YamlFault {
  readonly reason: string;
  readonly mark?: { readonly line: number; readonly column: number };
}

const isYamlFault = (error: unknown): error is YamlFault =>
  isRecord(error) && error.name === 'YAMLException' && typeof error.reason === 'string';

/** Parsers' own errors quote the text around the fault, which may be a password: they are neither shown nor kept as cause. */
function addFault(file: string, error: unknown, problems: Problems): void {
  const text = reasonOf(error);
  if (error instanceof JsonFault) problems.add(`${file}, ${error.message}`);
  else if (isYamlFault(error)) problems.add(`${file}${yamlPlace(error)}: ${error.reason.replace(/\s*["!].*$/s, '')}`);
  // What c12 says when there is nothing in the file.
  else if (text.includes("'$meta'")) problems.add(`${file}: found nothing; expected an object with brokers`);
  else if (isRecord(error) && error.name === 'SyntaxError') problems.add(`${file}: ${syntaxFault(file, error)}`);
  else problems.add(`${file} cannot be loaded: ${text.replace(/\s*\n\s*/g, ' ')}`, error);
}

const yamlPlace = ({ mark }: YamlFault): string =>
  mark === undefined ? '' : `, line ${mark.line + 1}, column ${mark.column + 1}`;

/** The first line of such a stack can be the place; the next one then quotes the code. */
function syntaxFault(file: string, { stack }: Readonly<Record<string, unknown>>): string {
  const place = typeof stack === 'string' ? /^(?:file:\/\/)?(\/.*|[A-Za-z]:.*):(\d+)\n/.exec(stack) : null;
  if (place !== null) return `syntax error at ${place[1]}, line ${place[2]}`;
  return `syntax error in it or in what it imports. 'node --check ${file}' shows where`;
}
