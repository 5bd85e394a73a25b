import { createReadStream, open } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { DemoError } from './errors.js';

/** Characters of the longest line that can hold an event. */
export const MAX_LINE = 10_000;

/**
 * A file's lines, without their LF or CRLF and without a byte order mark. Of a line longer than {@link MAX_LINE} at least
 * one character more than that is given, and never much more is held. Throws {@link DemoError} for a file that cannot be read.
 */
export async function* readLines(file: string): AsyncGenerator<string, void> {
  let rest = '';
  let first = true;
  try {
    for await (const chunk of (await openText(file)) as AsyncIterable<string>) {
      const lines = `${rest}${first ? withoutMark(chunk) : chunk}`.split('\n');
      first = false;
      // Cut, or a file without line ends would be held as a whole.
      rest = (lines.pop() ?? '').slice(0, MAX_LINE + 2);
      for (const line of lines) yield withoutReturn(line);
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  if (rest !== '') yield withoutReturn(rest);
}

/** A pipe is read as a socket: a blocking read of a silent one would keep the process from ending. */
async function openText(file: string): Promise<Readable> {
  if (!(await stat(file)).isFIFO()) return createReadStream(file, 'utf8');
  const fd = await promisify(open)(file, 'r');
  return new Socket({ fd, readable: true, writable: false }).setEncoding('utf8');
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

function unreadable(file: string, error: unknown): DemoError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new DemoError(`There is no file ${file}.`);
  if (code === 'EISDIR') return new DemoError(`${file} is a folder, not a CSV file.`);
  return new DemoError(`Cannot read ${file}: ${message}.`);
}
