import { wrongUsage } from './errors.js';
import type { DeadLetter } from './messaging-port.js';

/** Says whether a letter is meant. */
export type Condition = (letter: DeadLetter) => boolean;

type Value = string | number | undefined;

const FIELDS: Readonly<Record<string, (letter: DeadLetter) => Value>> = {
  code: ({ cause }) => cause.code,
  error: ({ cause }) => cause.error,
  message: ({ cause }) => cause.message,
  key: ({ key }) => key,
  type: ({ type }) => type,
  cycles: ({ cycles }) => cycles,
  attempts: ({ attempts }) => attempts,
};
const NUMBERS = ['cycles', 'attempts'];
const HEADER = 'header.';
/** What `--where` knows, for help and errors. */
export const FIELD_NAMES = `${Object.keys(FIELDS).join(', ')}, ${HEADER}<name>`;

const CONDITION = /^(?<field>header\.[A-Za-z0-9._-]+|[^=!~]+)(?<operator>!=|=|~)(?<wanted>.*)$/s;

/**
 * `field=value`, `field!=value` or `field~text` (contains, in any case). A field that a letter does not have is empty:
 * `code=` finds letters without a code. Throws a `CliError`.
 */
export function parseWhere(text: string): Condition {
  const groups = CONDITION.exec(text)?.groups;
  if (groups === undefined) {
    throw wrongUsage(`--where '${text}' is no condition: write field=value, field!=value or field~text.`);
  }
  const { field = '', operator = '', wanted = '' } = groups;
  const read = readerOf(field);
  if (NUMBERS.includes(field)) checkNumber(text, operator, wanted);
  const test = testOf(operator, wanted);
  return (letter) => test(String(read(letter) ?? ''));
}

/** All must hold. */
export function all(conditions: readonly Condition[]): Condition {
  return (letter) => conditions.every((condition) => condition(letter));
}

function readerOf(field: string): (letter: DeadLetter) => Value {
  if (field.startsWith(HEADER) && field.length > HEADER.length) {
    const name = field.slice(HEADER.length);
    return ({ headers }) => (Object.hasOwn(headers, name) ? headers[name] : undefined);
  }
  const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (read === undefined) throw wrongUsage(`--where knows no field '${field}': the fields are ${FIELD_NAMES}.`);
  return read;
}

function testOf(operator: string, wanted: string): (value: string) => boolean {
  if (operator === '=') return (value) => value === wanted;
  if (operator === '!=') return (value) => value !== wanted;
  const part = wanted.toLowerCase();
  return (value) => value.toLowerCase().includes(part);
}

function checkNumber(text: string, operator: string, wanted: string): void {
  if (operator !== '~' && /^(0|[1-9]\d*)$/.test(wanted)) return;
  throw wrongUsage(`--where '${text}' compares a number: write it as cycles=3 or attempts!=1.`);
}
