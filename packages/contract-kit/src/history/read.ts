import { readFileSync } from 'node:fs';
import type { HistoryEvent } from './events.js';
import { type History, historyOf } from './history.js';
import { MalformedLine, parseEvent } from './parse.js';

/**
 * The merged history of several files, by time. A torn last line, as a killed process leaves it, is counted and left out. Throws
 * {@link MalformedLine} with file and line number for anything else that is no event, and what reading a file throws.
 */
export function readHistory(files: readonly string[]): History {
  const read = files.map((file) => parseLines(readFileSync(file, 'utf8'), file));
  return historyOf(
    read.flatMap(({ events }) => events),
    read.reduce((sum, { torn }) => sum + torn, 0),
  );
}

/** The events of one file's text. `torn`: 1 when the last line was cut off. `name` is for messages. */
export function parseLines(text: string, name = 'history'): { events: HistoryEvent[]; torn: number } {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const events = lines.map((line, i) => parseAt(line, name, i + 1));
  if (last === '') return { events, torn: 0 };
  // Nothing ends without its newline unless the writer died: even if it reads well, what stood behind it is unknown.
  return { events, torn: 1 };
}

function parseAt(line: string, name: string, number: number): HistoryEvent {
  try {
    return parseEvent(line);
  } catch (error) {
    throw new MalformedLine(`${name}:${number}: ${(error as Error).message}`);
  }
}
