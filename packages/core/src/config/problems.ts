/** What is wrong with a configuration: collected, then thrown as one error. No line of it holds a secret. */
import { MessagingError } from '../errors.js';
import { environmentName } from './words.js';

export type Path = readonly PropertyKey[];

const SECRET_KEY = /pass|secret|token|key|sasl|credential|pfx|auth/i;
/** Of these the value itself is a secret, not only something near it. */
const SECRET_VALUE = /pass|secret|token|key|credential|pfx/i;
const HIDDEN = '[hidden]';
/** Deeper is no configuration, but an object that somebody put into one. */
const MAX_DEPTH = 8;
const MAX_SHOWN = 60;
/** Shorter secrets would make holes in ordinary words, and are no secrets. */
const MIN_SECRET = 4;

/** Every problem of one configuration. */
export class Problems {
  readonly #lines: string[] = [];
  readonly #causes: unknown[] = [];
  readonly #secrets = new Set<string>();

  /** `sentence` without the full stop, like `namespace in /app/anymq.config.json: found 5; expected string`. */
  add(sentence: string, cause?: unknown): void {
    const line = /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
    if (!this.#lines.includes(line)) this.#lines.push(line);
    if (cause !== undefined) this.#causes.push(cause);
  }

  /** Whatever stands under secret-looking keys of these options is cut out of every line, whoever wrote the line. */
  conceal(value: unknown, key = '', depth = 0): void {
    if (typeof value === 'string' && SECRET_VALUE.test(key) && value.length >= MIN_SECRET) this.#secrets.add(value);
    if (depth >= MAX_DEPTH || !isPlain(value)) return;
    for (const [name, child] of Object.entries(value)) {
      this.conceal(child, Array.isArray(value) ? key : name, depth + 1);
    }
  }

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  throwIfAny(): void {
    if (!this.empty) this.refuse();
  }

  /** Throws `INVALID_CONFIG` with every problem. */
  refuse(): never {
    const lines = this.#lines.map((line) => this.#clean(line));
    const list = lines.length === 1 ? `: ${lines[0]}` : ` has ${lines.length} problems:\n  ${lines.join('\n  ')}`;
    const cause = this.#causes.length > 1 ? new AggregateError(this.#causes, 'several') : this.#causes[0];
    throw new MessagingError('INVALID_CONFIG', `Configuration${list}`, { cause });
  }

  #clean(line: string): string {
    let clean = line;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, HIDDEN);
    return withoutUserInfo(clean);
  }
}

/** Where the parts of a configuration come from, in words. */
export class Origins {
  readonly #file: string | undefined;
  readonly #code: ReadonlySet<string>;
  readonly #variables = new Map<string, string>();
  readonly #fromEnvironment = new Set<string>();

  /** @param code top-level keys that were given to createMessaging */
  constructor(file: string | undefined, code: Iterable<string>) {
    this.#file = file;
    this.#code = new Set(code);
  }

  override(path: Path, variable: string): void {
    this.#variables.set(pathText(path), variable);
  }

  /** This broker stands in no file. */
  brokerFromEnvironment(name: string): void {
    this.#fromEnvironment.add(name);
  }

  isFromEnvironment(broker: string): boolean {
    return this.#fromEnvironment.has(broker);
  }

  /** Variables that set something at `path` or below. */
  variablesUnder(path: Path): readonly string[] {
    return [...this.#variables].flatMap(([text, name]) => (text.startsWith(`${pathText(path)}.`) ? [name] : []));
  }

  /** `brokers.office.url in /app/anymq.config.json`. */
  place(path: Path): string {
    return `${pathText(path)} ${this.#source(path)}`;
  }

  #source(path: Path): string {
    for (let length = path.length; length > 0; length -= 1) {
      const variable = this.#variables.get(pathText(path.slice(0, length)));
      if (variable !== undefined) return `from ${variable}`;
    }
    if (this.#code.has(String(path[0]))) return 'given to createMessaging';
    const own = path[0] === 'brokers' && this.isFromEnvironment(String(path[1]));
    if (this.#file !== undefined && !own) return `in ${this.#file}`;
    const variable = path.map((part) => environmentName(String(part))).join('_');
    return `in the environment (ANYMQ_${variable}${path[0] === 'brokers' && path.length === 2 ? '_*' : ''})`;
  }
}

/** `brokers.log.brokers[0]`, `routes['user.*']`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const text = String(part);
      if (!/^[A-Za-z_$][\w$-]*$/.test(text)) return `['${text}']`;
      return index === 0 ? text : `.${text}`;
    })
    .join('');
}

/** What was found at `path`, short enough for a sentence. Hides what looks secret. */
export function found(value: unknown, path: Path): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return value instanceof Date ? 'a date' : 'an object';
  if (typeof value === 'function') return 'a function';
  if (isSecret(path)) return HIDDEN;
  if (typeof value !== 'string') return String(value);
  const clean = withoutUserInfo(value).replace(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1));
  return `'${clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}...` : clean}'`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list or an object literal, not an adapter or client somebody made. Of any realm: a file may be evaluated in another. */
function isPlain(value: unknown): value is object {
  if (Array.isArray(value)) return true;
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Only options of brokers hold secrets: names of topics and brokers may be any words. */
const isSecret = ([top, , ...option]: Path): boolean =>
  top === 'brokers' && option.some((part) => SECRET_KEY.test(String(part)));

function withoutUserInfo(text: string): string {
  return text
    .replace(/[^\s'"]+/g, hideUserInfo)
    .replace(/([?&;](?:pass\w*|pwd|secret|token|\w*key)=)[^&;\s'"]*/gi, `$1${HIDDEN}`);
}

/** Up to the last `@`, because a password may hold one, unescaped. Names of packages have no colon before theirs. */
function hideUserInfo(word: string): string {
  const end = word.lastIndexOf('@');
  const scheme = /[a-z][a-z0-9+.-]*:\/\//i.exec(word.slice(0, Math.max(0, end)));
  if (end < 0 || scheme?.[0] === 'file://' || !word.slice(0, end).includes(':')) return word;
  const start = scheme === null ? 0 : scheme.index + scheme[0].length;
  return `${word.slice(0, start)}${HIDDEN}${word.slice(end)}`;
}

/** `error.message`, also of an error that was made in another realm. */
export function reasonOf(error: unknown): string {
  return isRecord(error) && typeof error.message === 'string' ? error.message : String(error);
}
