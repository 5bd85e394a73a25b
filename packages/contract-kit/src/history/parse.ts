import type { HistoryEvent } from './events.js';

type Check = (value: unknown) => boolean;
type Shape = readonly (readonly [field: string, check: Check])[];

const text: Check = (value) => typeof value === 'string';
const name: Check = (value) => typeof value === 'string' && value !== '';
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const flag: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);

const BASE: Shape = [
  ['t', number],
  ['process', name],
];
const id = ['id', name] as const;
const group = ['group', name] as const;
const key = ['key', optional(text)] as const;
const n = ['n', number] as const;

const SHAPES = new Map<unknown, Shape>([
  ['sending', [...BASE, id, key, n]],
  ['writing', [...BASE, id]],
  ['sent', [...BASE, id]],
  ['refused', [...BASE, id, ['code', name]]],
  ['unknown', [...BASE, id]],
  ['begin', [...BASE, group, id, key, n, ...delivered()]],
  ['end', [...BASE, group, id, ['outcome', oneOf('ack', 'failed', 'rejected')]]],
  ['settled', [...BASE, group, id]],
  ['held', [...BASE, ['step', name], id]],
  ['passed', [...BASE, ['step', name], id]],
  ['fault', [...BASE, ['name', name], ['phase', oneOf('begin', 'heal')], ...proven()]],
  ['member', [...BASE, ['group', text], ['change', changes()]]],
  ['letter', [...BASE, group, id, ['letter', optional(name)], ['change', letterChanges()]]],
  ['listing', [...BASE, group, ['count', number]]],
  ['crash', [...BASE, ['point', name], ['ids', names()]]],
]);

function delivered(): Shape {
  return [
    ['attempt', number],
    ['redelivered', flag],
    ['source', optional(text)],
    ['position', text],
  ];
}

function proven(): Shape {
  return [
    ['proof', optional(number)],
    ['noticed', optional(number)],
    ['victim', optional(name)],
  ];
}

function changes(): Check {
  return oneOf('started', 'closing', 'closed', 'killed', 'stopped', 'continued');
}

function letterChanges(): Check {
  return oneOf('kept', 'redriving', 'removed', 'listed');
}

function names(): Check {
  return (value) => Array.isArray(value) && value.every(name);
}

/** A line of a history file that is no event. */
export class MalformedLine extends Error {
  override readonly name = 'MalformedLine';
}

/** One line as an event. Throws {@link MalformedLine}, saying which field is wrong. Checked by hand: 100,000 lines well below a second. */
export function parseEvent(line: string): HistoryEvent {
  const value = jsonObject(line);
  const shape = SHAPES.get(value.kind);
  if (shape === undefined) throw new MalformedLine(`kind is ${JSON.stringify(value.kind)}: ${line}`);
  for (const [field, check] of shape) {
    if (!check(value[field])) throw new MalformedLine(`${field} is ${JSON.stringify(value[field])}: ${line}`);
  }
  return value as unknown as HistoryEvent;
}

function jsonObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, with the line.
  }
  throw new MalformedLine(`no JSON object: ${line}`);
}
