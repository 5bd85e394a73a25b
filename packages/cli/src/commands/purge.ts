import type { Command } from 'commander';
import { untilAborted } from '../abortable.js';
import { failed, nothingMatched, wrongUsage } from '../errors.js';
import { letterCount } from '../format/letter.js';
import { print } from '../io.js';
import { groupCommand, noneOf, onLetters } from '../letters-command.js';
import type { DeadLetterSelection, DeadLetters } from '../messaging-port.js';
import { type SelectionFlags, selectable, selectionOf } from '../selection.js';
import type { Context, Session } from '../session.js';
import { noteMissing, stoppable } from '../stoppable.js';

interface Flags extends SelectionFlags {
  readonly yes?: boolean;
}

/** `anymq dead-letters purge`. */
export function purgeLetters(context: Context, parent: Command): void {
  const command = selectable(
    groupCommand(parent, 'purge').description(
      'Remove dead letters for good. Asks before it does; export them first if in doubt.',
    ),
  )
    .option('--yes', 'do not ask: for scripts')
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters purge --topic orders.paid --group shipping --where error=SyntaxError
  anymq dead-letters purge --topic orders.paid --group shipping --id dl-3f2a91c4e6b01d58a7c9f2043b6e8d15 --yes

Without a terminal to ask on, --yes must be given. Exits with 3 when no letter is selected.`,
    );
  onLetters<Flags>(
    context,
    command,
    async (letters, flags, session) => {
      const { io } = session;
      const selection = flags.yes ? selectionOf(flags) : await confirmed(session, letters, flags);
      const count = await stoppable(io, 'purged', (stopping) => letters.purge(selection, stopping));
      if (count === 0) throw nothingMatched(await noneOf(session, letters, flags));
      await print(io, flags.json ? JSON.stringify({ purged: count }) : `Purged ${letterCount(count)}.`);
      noteMissing(io, flags, count);
    },
    ({ yes }, _words, io) => {
      if (!yes && !io.stdinIsTTY)
        throw wrongUsage(
          'purge removes letters for good and there is no terminal to ask on: give --yes if you mean it.',
        );
    },
  );
}

/** Exactly the letters that the question was about: others may be written while somebody thinks. */
async function confirmed(session: Session, letters: DeadLetters, flags: Flags): Promise<DeadLetterSelection> {
  const { io } = session;
  const ids: string[] = [];
  for await (const { id } of untilAborted(letters.list(selectionOf(flags)), io.interrupted)) ids.push(id);
  if (ids.length === 0) throw nothingMatched(await noneOf(session, letters, flags));
  const answer = await io.ask(
    `Remove ${letterCount(ids.length)} of group '${letters.group}' on topic '${letters.topic}' for good? [y/N] `,
  );
  if (!/^y(es)?$/i.test(answer.trim())) throw failed('Nothing was removed.');
  return { ids };
}
