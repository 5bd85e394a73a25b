import type { Command } from 'commander';
import { orAborted } from '../abortable.js';
import { table } from '../format/table.js';
import { note, print } from '../io.js';
import { type Context, work } from '../session.js';

/** `anymq topics`. */
export function topics(context: Context, program: Command): void {
  const command = program
    .command('topics')
    .description('List the topics of your namespace, on every broker that the configuration uses.')
    .addHelpText(
      'after',
      `
Examples:
  anymq topics
  anymq topics --broker office
  anymq topics --json | jq -r .name`,
    );
  work(context, command, async ({ io, messaging }, { json }) => {
    const shown = await orAborted(messaging.topics(), io.interrupted);
    if (json) for (const { name, broker } of shown) await print(io, JSON.stringify({ name, broker }));
    else if (shown.length > 0)
      await print(
        io,
        table(
          ['TOPIC', 'BROKER'],
          shown.map(({ name, broker }) => [name, broker]),
        ),
      );
    if (shown.length === 0) note(io, 'There are no topics in this namespace.');
  });
}
