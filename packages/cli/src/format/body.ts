import { visible } from './visible.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PER_ROW = 16;
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;
const OPENING = new Set(['{', '[']);
const CLOSING = new Set(['}', ']']);

/** A body for people: JSON indented, text as it is, everything else as a hex dump. */
export function readableBody(body: Uint8Array): string {
  if (body.length === 0) return '(empty)';
  const text = textOf(body);
  return text === undefined ? hexDump(body) : visible(indented(text) ?? text);
}

/** A body in a JSON line: text where it is text, so that `jq` can go on with it; else base64. */
export function jsonBody(body: Uint8Array): { readonly body: string; readonly bodyEncoding: 'utf-8' | 'base64' } {
  const text = textOf(body);
  return text === undefined
    ? { body: Buffer.from(body).toString('base64'), bodyEncoding: 'base64' }
    : { body: text, bodyEncoding: 'utf-8' };
}

/** Undefined for what is no UTF-8, or holds a NUL as no text does. */
function textOf(body: Uint8Array): string | undefined {
  if (body.includes(0)) return undefined;
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

/** Undefined for what is no JSON object or array. */
function indented(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return indentTokens(text.match(TOKENS) ?? []);
}

/** Tokens stay as they were sent: parsed and written again, `12345678901234567890` and `1.0` would be other ones. */
function indentTokens(tokens: readonly string[]): string {
  let depth = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  return tokens
    .map((token, i) => {
      if (token === ':') return ': ';
      if (token === ',') return `,${line()}`;
      if (OPENING.has(token)) {
        depth += 1;
        return CLOSING.has(tokens[i + 1] ?? '') ? token : token + line();
      }
      if (!CLOSING.has(token)) return token;
      depth -= 1;
      return OPENING.has(tokens[i - 1] ?? '') ? token : line() + token;
    })
    .join('');
}

/** As `hexdump -C` shows it. */
export function hexDump(body: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < body.length; at += PER_ROW) rows.push(hexRow(at, body.subarray(at, at + PER_ROW)));
  return rows.join('\n');
}

function hexRow(at: number, row: Uint8Array): string {
  const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${at.toString(16).padStart(8, '0')}  ${hex.padEnd(PER_ROW * 3 - 1)}  |${text}|`;
}
