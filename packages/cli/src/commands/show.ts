import type { Command } from 'commander';
import { orAborted } from '../abortable.js';
import { nothingMatched } from '../errors.js';
import { letterJson, letterPage } from '../format/letter.js';
import { print } from '../io.js';
import { groupCommand, onLetters } from '../letters-command.js';
import type { Context } from '../session.js';

/** `anymq dead-letters show`. */
export function showLetter(context: Context, parent: Command): void {
  const command = groupCommand(parent, 'show')
    .description('Show everything about one dead letter, its body readable: JSON, text, or a hex dump.')
    .argument('<id>', 'of the letter, as list shows it')
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters show dl-3f2a91c4e6b01d58a7c9f2043b6e8d15 --topic orders.paid --group shipping
  anymq dead-letters show dl-3f2a91c4e6b01d58a7c9f2043b6e8d15 --topic orders.paid --group shipping --json | jq -r .body

Exits with 3 when there is no such letter.`,
    );
  onLetters(context, command, async (letters, { json }, { io }, [id = '']) => {
    const letter = await orAborted(letters.get(id), io.interrupted);
    if (letter === undefined)
      throw nothingMatched(`Group '${letters.group}' has no dead letter with id ${id} on topic '${letters.topic}'.`);
    await print(io, json ? JSON.stringify(letterJson(letter)) : letterPage(letter));
  });
}
