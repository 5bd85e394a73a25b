import type { Command } from 'commander';
import { orAborted } from './abortable.js';
import { CliError } from './errors.js';
import type { DeadLetters, Messaging } from './messaging-port.js';
import { existing } from './raw-topic.js';
import { isEverything, meant, type SelectionFlags } from './selection.js';
import { type Check, type CommonFlags, type Context, type Session, work } from './session.js';

interface GroupFlags {
  readonly topic: string;
  readonly group: string;
}

/** What a command does with the dead letters of one group. `words` are its arguments. */
type LettersWork<Flags> = (
  letters: DeadLetters,
  flags: Flags & CommonFlags,
  session: Session,
  words: readonly string[],
) => Promise<void>;

/** A command about the dead letters of one group: its options say whose. */
export function groupCommand(parent: Command, name: string): Command {
  return parent
    .command(name)
    .requiredOption('--topic <topic>', 'the topic that the messages were sent to')
    .requiredOption('--group <group>', 'the group that gave them up');
}

/** Gives such a command its work. */
export function onLetters<Flags>(
  context: Context,
  command: Command,
  run: LettersWork<Flags>,
  check?: Check<Flags>,
): void {
  work<Flags & GroupFlags>(
    context,
    command,
    (session, flags, words) =>
      run(session.messaging.deadLetters(flags.topic, { group: flags.group }), flags, session, words),
    check,
  );
}

/** That there is nothing, in a sentence. A misspelt name must not look like good news: throws when there is no such topic. */
export async function noneOf(
  { messaging, io }: Session,
  { group, topic }: Pick<DeadLetters, 'group' | 'topic'>,
  flags: SelectionFlags,
): Promise<string> {
  const groups = await orAborted(groupsOf(messaging, topic), io.interrupted);
  const which = isEverything(flags) ? 'no dead letters' : `no ${meant(flags)}`;
  const none = `Group '${group}' has ${which} on topic '${topic}'`;
  if (groups === undefined || groups.includes(group)) return `${none}.`;
  const there = groups.length === 0 ? 'none' : groups.join(', ');
  return `${none}, and the topic has no such group: it has ${there}.`;
}

/** Undefined where they cannot be listed: that may need rights that looking at letters does not. */
const groupsOf = (messaging: Messaging, topic: string): Promise<readonly string[] | undefined> =>
  existing(messaging.groups(topic), topic).then(
    (found) => found.map(({ group }) => group),
    (error) => {
      if (error instanceof CliError) throw error;
      return undefined;
    },
  );
