/** `connectTimeoutMs` or `eu.office` as a part of an environment variable: `CONNECT_TIMEOUT_MS`, `EU_OFFICE`. */
export function environmentName(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}

/** The candidate that `word` was probably meant to be: at most a third of its letters differ. Undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = Math.floor((word.length + 1) / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= limit) continue;
    const found = distance(word.toLowerCase(), candidate.toLowerCase());
    if (found < limit) [best, limit] = [candidate, found];
  }
  return best;
}

/** ` Did you mean 'kafka'?`, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? '' : ` Did you mean '${near}'?`;
}

export const listed = (names: Iterable<string>): string => [...names].join(', ') || 'none';

/** Letters to add, drop, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) row.push(cell(a, b, i, j, { row, previous, before }));
    [before, previous] = [previous, row];
  }
  return at(previous, b.length);
}

interface Rows {
  readonly row: readonly number[];
  readonly previous: readonly number[];
  readonly before: readonly number[];
}

function cell(a: string, b: string, i: number, j: number, { row, previous, before }: Rows): number {
  const same = a[i - 1] === b[j - 1];
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return Math.min(
    at(previous, j) + 1,
    at(row, j - 1) + 1,
    at(previous, j - 1) + (same ? 0 : 1),
    swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
  );
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
