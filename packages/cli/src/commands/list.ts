import type { Command } from 'commander';
import { untilAborted } from '../abortable.js';
import { LETTER_COLUMNS, letterRow, letterSummary } from '../format/letter.js';
import { table } from '../format/table.js';
import { type Io, note, print } from '../io.js';
import { groupCommand, noneOf, onLetters } from '../letters-command.js';
import type { DeadLetter } from '../messaging-port.js';
import { type SelectionFlags, selectable, selectionOf } from '../selection.js';
import type { Context } from '../session.js';

interface Flags extends SelectionFlags {
  readonly newest?: boolean;
}

/** Rows that are measured together: a list of millions must begin at once and stay out of memory. */
const PAGE = 500;

/** `anymq dead-letters list`. */
export function listLetters(context: Context, parent: Command): void {
  const command = selectable(
    groupCommand(parent, 'list').description('List dead letters, the oldest first. Nothing is consumed.'),
  )
    .option('--newest', 'the newest first')
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters list --topic orders.paid --group shipping --newest --limit 20
  anymq dead-letters list --topic orders.paid --group shipping --where code=TIMEOUT --where 'message~warehouse'
  anymq dead-letters list --topic orders.paid --group shipping --where header.tenant=acme --json | jq -r .id`,
    );
  onLetters<Flags>(context, command, async (letters, flags, session) => {
    const { io } = session;
    const selected = letters.list({ ...selectionOf(flags), order: flags.newest ? 'newest' : 'oldest' });
    const found = untilAborted(selected, io.interrupted);
    const count = flags.json ? await printJson(io, found) : await printTable(io, found);
    if (count > 0) return;
    note(io, await noneOf(session, letters, flags));
  });
}

async function printJson(io: Io, letters: AsyncIterable<DeadLetter>): Promise<number> {
  let count = 0;
  for await (const letter of letters) {
    await print(io, JSON.stringify(letterSummary(letter)));
    count += 1;
  }
  return count;
}

async function printTable(io: Io, letters: AsyncIterable<DeadLetter>): Promise<number> {
  let count = 0;
  let rows: ReturnType<typeof letterRow>[] = [];
  const flush = async (): Promise<void> => {
    if (rows.length > 0) await print(io, table(LETTER_COLUMNS, rows));
    rows = [];
  };
  for await (const letter of letters) {
    rows.push(letterRow(letter));
    count += 1;
    if (rows.length === PAGE) await flush();
  }
  await flush();
  return count;
}
