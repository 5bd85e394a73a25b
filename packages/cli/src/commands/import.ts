import { createReadStream, existsSync } from 'node:fs';
import type { Command } from 'commander';
import { orAborted, untilAborted } from '../abortable.js';
import { wrongUsage } from '../errors.js';
import { letterCount } from '../format/letter.js';
import { print } from '../io.js';
import { groupCommand, onLetters } from '../letters-command.js';
import { linesOf } from '../lines.js';
import { progressOf } from '../progress.js';
import type { Context } from '../session.js';
import { counted } from './export.js';

/** `anymq dead-letters import`. */
export function importLetters(context: Context, parent: Command): void {
  const command = groupCommand(parent, 'import')
    .description('Write exported dead letters back. One that is there already is written again, not doubled.')
    .argument('[file]', 'what export wrote (default: standard input)')
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters import shipping.jsonl --topic orders.paid --group shipping
  zcat shipping.jsonl.gz | anymq dead-letters import --topic orders.paid --group shipping

Importing the same file twice changes nothing: after an interruption, do it again.`,
    );
  onLetters(
    context,
    command,
    async (letters, { json }, { io }, [file]) => {
      const progress = progressOf(io, 'imported');
      try {
        const input = file === undefined ? io.stdin : createReadStream(file);
        const lines = counted(untilAborted(linesOf(input), io.interrupted), progress);
        const count = await orAborted(letters.import(lines), io.interrupted);
        progress.stop();
        await print(io, json ? JSON.stringify({ imported: count }) : `Imported ${letterCount(count)}.`);
      } finally {
        progress.stop();
      }
    },
    (_flags, [file], io) => {
      if (file !== undefined && !existsSync(file)) throw wrongUsage(`There is no file ${file}.`);
      if (file === undefined && io.stdinIsTTY) throw wrongUsage('Name the file to import, or pipe it in.');
    },
  );
}
