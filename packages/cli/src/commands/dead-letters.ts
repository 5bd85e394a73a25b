import type { Command } from 'commander';
import type { Context } from '../session.js';
import { exportLetters } from './export.js';
import { importLetters } from './import.js';
import { listLetters } from './list.js';
import { purgeLetters } from './purge.js';
import { redriveLetters } from './redrive.js';
import { showLetter } from './show.js';
import { countLetters } from './stats.js';

/** `anymq dead-letters`. */
export function deadLetters(context: Context, program: Command): void {
  const command = program
    .command('dead-letters')
    .description('Look at, send back and remove what a group has given up.')
    .addHelpText(
      'after',
      `
A dead letter is a message that a group gave up, with its cause. It is kept until it is redriven or purged.

Examples:
  anymq dead-letters stats --topic orders.paid --group shipping
  anymq dead-letters list --topic orders.paid --group shipping --newest --limit 20
  anymq dead-letters redrive --topic orders.paid --group shipping --where code=TIMEOUT --dry-run`,
    );
  for (const add of [listLetters, showLetter, countLetters, redriveLetters, purgeLetters, exportLetters, importLetters])
    add(context, command);
}
