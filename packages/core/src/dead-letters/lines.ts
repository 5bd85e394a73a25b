/** Letters as JSON lines: what leaves AnyMQ and may come back. */
import { z } from 'zod';
import { invalidArgument, messageOf } from '../errors.js';
import { MARKER_KEY } from '../system/marker.js';
import type { DeadLetter } from './contract.js';
import type { Origin } from './record.js';

const VERSION = 1;
/** The largest time a Date can hold. */
const MAX_TIME = 8_640_000_000_000_000;
/** All that is the envelope's: such a header would not come back as it is. */
const RESERVED = /^anymq-/i;

const text = z.string().refine((value) => value.isWellFormed(), 'half a surrogate pair');
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.number().int().min(-MAX_TIME).max(MAX_TIME);
const base64 = z
  .string()
  .refine((value) => Buffer.from(value, 'base64').toString('base64') === value, 'expected base64');

const LINE = z.strictObject({
  version: z.literal(VERSION),
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 printable ASCII characters without space')
    .refine((id) => id !== MARKER_KEY, 'reserved'),
  topic: text,
  group: text,
  messageId: text,
  key: text.optional(),
  type: text,
  contentType: text,
  time,
  headers: z.record(
    text.refine((name) => !RESERVED.test(name), 'reserved'),
    text,
  ),
  position: text.optional(),
  attempts: count,
  firstFailedAt: time,
  lastFailedAt: time,
  cause: z.strictObject({
    code: text.optional(),
    error: text.optional(),
    message: text.optional(),
    stack: text.optional(),
  }),
  cycles: count,
  body: base64,
});

/** One line, without its end. */
export function lineOf({ body, ...letter }: DeadLetter): string {
  return JSON.stringify({
    version: VERSION,
    ...letter,
    body: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'),
  });
}

/** A letter with the number of its line. */
export interface NumberedLetter {
  readonly number: number;
  readonly letter: DeadLetter;
}

/** The letters of the lines; empty lines are passed over. Throws `INVALID_ARGUMENT`, with the number of the line. */
export async function* lettersOf(
  lines: Iterable<string> | AsyncIterable<string>,
  origin: Origin,
): AsyncIterable<NumberedLetter> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (typeof line !== 'string') throw invalidArgument(`Line ${number} must be a string, found ${typeof line}.`);
    if (line.trim() !== '') yield { number, letter: letterOf(line, number, origin) };
  }
}

function letterOf(line: string, number: number, { topic, group }: Origin): DeadLetter {
  const { version: _, body, key, position, cause, ...rest } = parse(line, number);
  if (rest.topic !== topic || rest.group !== group) {
    throw invalidArgument(
      `Line ${number} is a letter of group '${rest.group}' on topic '${rest.topic}', not of '${group}' on '${topic}'.`,
    );
  }
  const { code, error, message, stack } = cause;
  return { ...rest, key, position, cause: { code, error, message, stack }, body: Buffer.from(body, 'base64') };
}

function parse(line: string, number: number): z.infer<typeof LINE> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw invalidArgument(`Line ${number} is not JSON: ${messageOf(error)}.`);
  }
  const result = LINE.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  throw invalidArgument(`Line ${number} is no dead letter: ${place}${issue?.message}.`);
}
