/**
 * A strict reader of JSON, with comments and trailing commas for `.jsonc`. It exists because of three traps: the engine's own
 * error quotes the text around the fault (which may be a password), it keeps the last of two equal keys without a word, and
 * lenient readers go on after a fault with half of the file.
 */

/** Where and why a text is no JSON. Never quotes values. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
}

const SPACE = /[ \t\r\n]*/y;
const SPACE_AND_COMMENTS = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const TOKEN = /"(?:[^"\\\n]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true\b|false\b|null\b|[{}[\]:,]/y;

/** Throws {@link JsonFault}. */
export function parseJson(text: string, style: 'json' | 'jsonc'): unknown {
  const reader = new Reader(text.startsWith('\ufeff') ? text.slice(1) : text, style === 'jsonc');
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  readonly #lenient: boolean;
  #at = 0;
  /** The next token, '' at the end of the text. */
  #token = '';

  constructor(text: string, lenient: boolean) {
    this.#text = text;
    this.#lenient = lenient;
    this.#next();
  }

  value(): unknown {
    const token = this.#token;
    if (token === '{') return this.#object();
    if (token === '[') return this.#array();
    if (token === '' || '}]:,'.includes(token)) return this.#fail('expected a value');
    const value = this.#scalar(token);
    this.#next();
    return value;
  }

  end(): void {
    if (this.#token !== '') this.#fail('expected the end of the file');
  }

  #object(): unknown {
    const entries = new Map<string, unknown>();
    this.#members('}', () => {
      const key = this.#key();
      if (entries.has(key)) this.#fail(`key '${key}' stands twice in one object`);
      this.#next();
      if (this.#token !== ':') this.#fail("expected ':'");
      this.#next();
      entries.set(key, this.value());
    });
    // Unlike an assignment this also keeps a key like __proto__, for the schema to refuse.
    return Object.fromEntries(entries);
  }

  #key(): string {
    return this.#token.startsWith('"')
      ? String(this.#scalar(this.#token))
      : this.#fail('expected a key in double quotes');
  }

  #scalar(token: string): unknown {
    try {
      return JSON.parse(token);
    } catch {
      return this.#fail('a string with a raw control character or a wrong escape');
    }
  }

  #array(): unknown {
    const items: unknown[] = [];
    this.#members(']', () => items.push(this.value()));
    return items;
  }

  #members(close: string, read: () => void): void {
    this.#next();
    let more = this.#token !== close;
    while (more) {
      read();
      more = this.#token === ',';
      if (more) this.#next();
      if (this.#lenient && this.#token === close) more = false;
    }
    if (this.#token !== close) this.#fail(`expected ',' or '${close}'`);
    this.#next();
  }

  #next(): void {
    this.#at += this.#token.length;
    this.#at += this.#match(this.#lenient ? SPACE_AND_COMMENTS : SPACE).length;
    this.#token = this.#match(TOKEN);
    if (this.#token === '' && this.#at < this.#text.length) this.#fail(this.#strange());
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #strange(): string {
    if (this.#text[this.#at] === '"') return 'a string that does not end in its line';
    if (this.#text[this.#at] === '/' && !this.#lenient) return 'comments need a file that ends in .jsonc';
    return 'not JSON';
  }

  #fail(reason: string): never {
    const lines = this.#text.slice(0, this.#at).split('\n');
    throw new JsonFault(`line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}: ${reason}`);
  }
}
