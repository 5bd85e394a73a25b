import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { DemoError } from './errors.js';
import { behaviourEvent, COLUMNS } from './event.js';
import { MAX_LINE, readLines } from './lines.js';
import type { Source, SourceItem } from './source.js';

const PRICE = /^\d+(\.\d+)?$/;

/**
 * Opens a CSV file of events and checks its header. A line that does not parse or validate becomes a problem with its number.
 * No column of an event has line breaks, so each line stands alone: an open quote spoils its own line and not the rest of the
 * file. Empty lines are passed over. Rejects with {@link DemoError} for a file that is missing or has other columns.
 */
export async function openCsv(file: string): Promise<Source> {
  const lines = readLines(file);
  const header = await lines.next();
  if (header.done) throw new DemoError(`${file} is empty. Its first line must be ${COLUMNS.join(',')}.`);
  if (toHeader(header.value) === COLUMNS.join(',')) return toItems(lines);
  await lines.return();
  throw new DemoError(
    `${file} does not begin with the columns of user-behaviour events. Found '${header.value.slice(0, 200)}', wanted '${COLUMNS.join(',')}'.`,
  );
}

async function* toItems(lines: AsyncIterable<string>): Source {
  let line = 1;
  for await (const text of lines) {
    line += 1;
    if (text !== '') yield parseLine(text, line);
  }
}

/** The event on a line, or what is wrong with it. */
export function parseLine(text: string, line: number): SourceItem {
  if (text.length > MAX_LINE) return { line, problem: `is longer than ${MAX_LINE} characters` };
  try {
    return toItem(toFields(text), line);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { line, problem: error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'has a quote that is not closed' : error.message };
  }
}

/** The event that a line's fields make, or what is wrong with them. */
export function toItem(record: readonly string[], line: number): SourceItem {
  if (record.length !== COLUMNS.length)
    return { line, problem: `has ${record.length} columns, wanted ${COLUMNS.length}` };
  const fields: Record<string, unknown> = Object.fromEntries(COLUMNS.map((name, i) => [name, record[i]]));
  // Number('') is 0, and Number('0x10') is 16: neither is a price.
  fields.price = PRICE.test(String(fields.price)) ? Number(fields.price) : Number.NaN;
  const { success, data, error } = behaviourEvent.safeParse(fields);
  if (success) return { line, event: data };
  return { line, problem: error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
}

/** Without quotes a line is what stands between its commas; the parser, far slower for single lines, is for the others. */
function toFields(text: string): readonly string[] {
  if (!text.includes('"')) return text.split(',');
  const [record = []] = parse(text, { relax_column_count: true, relax_quotes: true }) as string[][];
  return record;
}

function toHeader(text: string): string {
  try {
    return toFields(text).join(',');
  } catch {
    return text;
  }
}
