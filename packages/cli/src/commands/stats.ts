import { type Command, Option } from 'commander';
import { orAborted, untilAborted } from '../abortable.js';
import { table } from '../format/table.js';
import { short } from '../format/visible.js';
import { note, print } from '../io.js';
import { groupCommand, noneOf, onLetters } from '../letters-command.js';
import type { DeadLetter, DeadLetters } from '../messaging-port.js';
import { isEverything, type SelectionFlags, selectable, selectionOf } from '../selection.js';
import type { Context } from '../session.js';

type By = 'code' | 'error' | 'topic';

interface Flags extends SelectionFlags {
  readonly by: By;
}

const READ: Readonly<Record<By, (letter: DeadLetter) => string>> = {
  code: ({ cause }) => cause.code ?? '',
  error: ({ cause }) => cause.error ?? '',
  topic: ({ topic }) => topic,
};

/** `anymq dead-letters stats`. */
export function countLetters(context: Context, parent: Command): void {
  const command = selectable(
    groupCommand(parent, 'stats').description('Count dead letters by their cause, the most frequent first.'),
  )
    .addOption(new Option('--by <what>', 'what to count by').choices(['code', 'error', 'topic']).default('code'))
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters stats --topic orders.paid --group shipping
  anymq dead-letters stats --topic orders.paid --group shipping --by error --where cycles=0

A dash is the letters whose error had no code, or no name.`,
    );
  onLetters<Flags>(context, command, async (letters, flags, session) => {
    const { io } = session;
    const counts = await countsOf(letters, flags, io.interrupted);
    if (flags.json) {
      for (const [name, count] of counts) await print(io, JSON.stringify({ [flags.by]: name, letters: count }));
    } else if (counts.size > 0) {
      const rows = [...counts].map(([name, count]) => [name === '' ? undefined : short(name, 80), count]);
      await print(io, table([flags.by.toUpperCase(), 'LETTERS'], rows));
    }
    if (counts.size === 0) note(io, await noneOf(session, letters, flags));
  });
}

async function countsOf(letters: DeadLetters, flags: Flags, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  if (isEverything(flags)) return orAborted(letters.stats({ by: flags.by }), signal);
  const counts = new Map<string, number>();
  for await (const letter of untilAborted(letters.list(selectionOf(flags)), signal)) {
    const name = READ[flags.by](letter);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
