import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { behaviourEvent, COLUMNS } from './event.js';
import { InputError, type Source, type SourceItem } from './source.js';

const PRICE = /^\d+(\.\d+)?$/;

/** What csv-parse gives per line with `info`. */
interface Row {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads events from a CSV file. A line that does not parse or validate becomes a problem with its line number; a file that is
 * missing, or whose header has other columns, throws {@link InputError}.
 */
export async function* csvSource(file: string): Source {
  let header = true;
  for await (const { record, info } of rows(file)) {
    if (header) checkHeader(file, record);
    else yield toItem(record, info.lines);
    header = false;
  }
  if (header) throw new InputError(`${file} is empty. Its first line must be ${COLUMNS.join(',')}.`);
}

async function* rows(file: string): AsyncIterable<Row> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true });
  const stream = createReadStream(file).on('error', (error) => parser.destroy(error));
  try {
    yield* stream.pipe(parser) as AsyncIterable<Row>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`There is no file ${file}.`);
    throw new InputError(`Cannot read ${file}: ${message}.`);
  } finally {
    stream.destroy();
  }
}

function checkHeader(file: string, record: readonly string[]): void {
  if (record.join(',') === COLUMNS.join(',')) return;
  throw new InputError(
    `${file} does not begin with the columns of user-behaviour events. Found '${record.join(',').slice(0, 200)}', wanted '${COLUMNS.join(',')}'.`,
  );
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
