import type { Command } from 'commander';
import { orAborted } from '../abortable.js';
import { table } from '../format/table.js';
import { note, print } from '../io.js';
import { existing } from '../raw-topic.js';
import { type Context, work } from '../session.js';

interface Flags {
  readonly topic: string;
}

/** `anymq groups`. */
export function groups(context: Context, program: Command): void {
  const command = program
    .command('groups')
    .description('Show the groups of a topic: who is there, how far behind, how much was given up.')
    .requiredOption('--topic <topic>', 'name of the topic')
    .addHelpText(
      'after',
      `
MEMBERS    live consumers
LAG        messages that the group has yet to settle, those that a member keeps for another try among them
IN FLIGHT  of these, given to a member
RETRYING   in the inbox of the group: redriven, or released for a later try whose time has come
DEAD       dead letters
A dash is what the broker does not tell. What was released counts nowhere until its time has come.

Examples:
  anymq groups --topic orders.paid
  anymq groups --topic orders.paid --json | jq 'select(.dead > 0)'`,
    );
  work<Flags>(context, command, async ({ io, messaging }, { topic, json }) => {
    const found = await orAborted(existing(messaging.groups(topic), topic), io.interrupted);
    if (json) for (const group of found) await print(io, JSON.stringify(group));
    else if (found.length > 0) {
      const rows = found.map((one) => [one.group, one.members, one.lag, one.inFlight, one.retrying, one.dead]);
      await print(io, table(['GROUP', 'MEMBERS', 'LAG', 'IN FLIGHT', 'RETRYING', 'DEAD'], rows, 1));
    }
    if (found.length === 0) note(io, `Topic '${topic}' has no groups.`);
  });
}
