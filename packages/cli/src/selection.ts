import { type Command, Option } from 'commander';
import { collect, integerFrom } from './arguments.js';
import { wrongUsage } from './errors.js';
import type { DeadLetterSelection } from './messaging-port.js';
import { all, FIELD_NAMES, parseWhere } from './where.js';

/** Which letters, as it was asked for. */
export interface SelectionFlags {
  readonly where?: readonly string[];
  readonly id?: readonly string[];
  readonly limit?: number;
}

/** Which letters is asked in the same way everywhere. */
export function selectable(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--where <condition>',
        `only letters for which this holds: field=value, field!=value or field~text (contains); fields: ${FIELD_NAMES}; may be repeated, all must hold`,
      ).argParser(collect(checkedWhere)),
    )
    .addOption(new Option('--id <id>', 'only the letter with this id; may be repeated').argParser(collect(notEmpty)))
    .option('--limit <number>', 'at most so many letters', integerFrom(1, 1_000_000_000));
}

/** The selection that the flags mean; nothing asked is all letters. */
export function selectionOf({ where, id, limit }: SelectionFlags): DeadLetterSelection {
  return {
    ...(id === undefined ? {} : { ids: [...new Set(id)] }),
    ...(where === undefined ? {} : { where: all(where.map(parseWhere)) }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** True when all letters are meant. */
export const isEverything = ({ where, id, limit }: SelectionFlags): boolean =>
  where === undefined && id === undefined && limit === undefined;

/** Which letters were meant, for sentences. */
export function meant({ id, where }: SelectionFlags): string {
  return where === undefined && id !== undefined
    ? `dead letter with id ${id.join(' or ')}`
    : 'dead letter that was selected';
}

/** Read while the command line is, so that a mistake in it is told before anything connects. */
function checkedWhere(text: string): string {
  parseWhere(text);
  return text;
}

function notEmpty(text: string): string {
  if (text === '') throw wrongUsage('--id is empty: give the id of a letter, as `anymq dead-letters list` shows it.');
  return text;
}
