import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const LINES = 6;
const WIDTH = 400;

/** The end of what the library said in each process, for whoever sees only that a run did not end. `files`: histories. */
export function lastWords(files: readonly string[]): readonly string[] {
  return files
    .map((file) => `${file}.log`)
    .filter((file) => existsSync(file))
    .map((file) => `${basename(file, '.jsonl.log')}: ${endOf(readFileSync(file, 'utf8'))}`);
}

const endOf = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-LINES)
    .map((line) => line.trim())
    .join(' ')
    .slice(-WIDTH);
