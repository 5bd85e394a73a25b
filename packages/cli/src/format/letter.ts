import type { DeadLetter } from '../messaging-port.js';
import { jsonBody, readableBody } from './body.js';
import { short, visible } from './visible.js';

/** The columns of a list of letters. */
export const LETTER_COLUMNS = ['ID', 'GIVEN UP', 'CODE', 'ERROR', 'MESSAGE', 'KEY', 'ATTEMPTS', 'CYCLES'];

/** A letter as a row of that list. */
export function letterRow({ id, lastFailedAt, cause, key, attempts, cycles }: DeadLetter) {
  const cut = (text: string | undefined, length: number) => (text === undefined ? undefined : short(text, length));
  return [
    id,
    iso(lastFailedAt),
    cut(cause.code, 24),
    cut(cause.error, 24),
    cut(cause.message, 60),
    cut(key, 32),
    attempts,
    cycles,
  ];
}

/** A letter as an object for JSON, without its body. Times are ISO 8601. */
export function letterSummary({
  body,
  time,
  firstFailedAt,
  lastFailedAt,
  ...rest
}: DeadLetter): Readonly<Record<string, unknown>> {
  return {
    ...rest,
    time: iso(time),
    firstFailedAt: iso(firstFailedAt),
    lastFailedAt: iso(lastFailedAt),
    bodyBytes: body.length,
  };
}

/** The same with its body. */
export const letterJson = (letter: DeadLetter): Readonly<Record<string, unknown>> => ({
  ...letterSummary(letter),
  ...jsonBody(letter.body),
});

/** Everything about a letter, for people. */
export function letterPage(letter: DeadLetter): string {
  const { cause, body } = letter;
  return [
    section('Letter', {
      id: letter.id,
      topic: letter.topic,
      group: letter.group,
      'first failed': iso(letter.firstFailedAt),
      'given up': iso(letter.lastFailedAt),
      attempts: letter.attempts,
      'redriven before': letter.cycles,
    }),
    section('Cause', { code: cause.code, error: cause.error, message: cause.message, stack: cause.stack }),
    section('Message', {
      id: letter.messageId,
      key: letter.key,
      type: letter.type,
      'content type': letter.contentType,
      sent: iso(letter.time),
      position: letter.position,
    }),
    section('Headers', letter.headers),
    `Body, ${body.length} bytes\n${readableBody(body)}`,
  ].join('\n\n');
}

function section(title: string, fields: Readonly<Record<string, string | number | undefined>>): string {
  const names = Object.keys(fields);
  if (names.length === 0) return `${title}\n  none`;
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${visible(String(fields[name] ?? '-'))}`);
  return [title, ...lines].join('\n');
}

/** `1 dead letter`, `2 dead letters`. */
export const letterCount = (count: number): string => `${count} dead letter${count === 1 ? '' : 's'}`;

/** Never throws: a letter with an impossible time must still be shown. */
export function iso(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
