import { invalidArgument } from '../errors.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';
import type { DeadLetter, DeadLetterSelection } from './contract.js';

const MAX_LIMIT = 1_000_000_000;

/** A selection that was checked. */
export interface Selection {
  readonly wanted: (id: string) => boolean;
  readonly where: ((letter: DeadLetter) => boolean) | undefined;
  readonly limit: number;
}

/** Throws `INVALID_ARGUMENT`. @param more names of options that stand beside the selection's own */
export function selectionOf(what: string, selection: DeadLetterSelection, more: readonly string[] = []): Selection {
  checkObject(what, selection);
  onlyKnown(what, selection, ['ids', 'where', 'limit', ...more]);
  const { where } = selection;
  if (where !== undefined && typeof where !== 'function')
    throw invalidArgument(`${what}: where must be a function from a letter to true or false.`);
  return {
    wanted: wantedOf(what, selection.ids),
    where,
    limit: integerIn('limit', selection.limit, 1, MAX_LIMIT, Number.POSITIVE_INFINITY),
  };
}

/** The letters that are selected, in their order. */
export function* select(letters: Iterable<DeadLetter>, { where, limit }: Selection): Iterable<DeadLetter> {
  let found = 0;
  for (const letter of letters) {
    if (where !== undefined && !holds(where, letter)) continue;
    yield letter;
    if (++found >= limit) return;
  }
}

function wantedOf(what: string, ids: readonly string[] | undefined): (id: string) => boolean {
  if (ids === undefined) return () => true;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw invalidArgument(`${what}: ids must be an array of strings.`);
  const set = new Set(ids);
  return (id) => set.has(id);
}

/** A promise is true in every condition: an async `where` would select, and purge, everything. */
function holds(where: (letter: DeadLetter) => boolean, letter: DeadLetter): boolean {
  const answer: unknown = where(letter);
  if (typeof answer === 'boolean') return answer;
  throw invalidArgument(`where must return true or false, found ${answer === null ? 'null' : typeof answer}.`);
}
