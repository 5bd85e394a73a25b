import { codeOf } from '@anymq/core';
import type { Command } from 'commander';
import { orAborted } from './abortable.js';
import { CliError, causesOf, EXIT, type ExitCode, exitCodeOf, sentenceOf, wrongUsage } from './errors.js';
import { type Io, note } from './io.js';
import type { Messaging, OpenMessaging, OpenOptions } from './messaging-port.js';

/** What every command that talks to a broker takes. */
export interface CommonFlags {
  readonly config?: string;
  readonly broker?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What a command works with. */
export interface Session {
  readonly io: Io;
  readonly messaging: Messaging;
}

/** What all commands share; `code` is how the one that ran ended. */
export interface Context {
  readonly io: Io;
  readonly open: OpenMessaging;
  code: ExitCode;
}

/** A command's work. `words` are its arguments. Connects by the first use of `messaging`, never before. */
export type Work<Flags> = (session: Session, flags: Flags & CommonFlags, words: readonly string[]) => Promise<void>;

/** Checks what needs no broker. */
export type Check<Flags> = (flags: Flags & CommonFlags, words: readonly string[], io: Io) => void;

/** Gives a command its common options and its work, with errors and Ctrl-C as the exit codes say. */
export function work<Flags>(
  context: Context,
  command: Command,
  run: Work<Flags>,
  check: Check<Flags> = () => {},
): void {
  const { io } = context;
  command
    .option('--config <file>', 'the configuration of your services (default: anymq.config.* in this folder)')
    .option('--broker <name>', 'the broker to use, in place of the one that the configuration says for the topic')
    .option('--json', 'print JSON for programs, lists as one object a line')
    .option('--verbose', 'say more on standard error: causes of errors, and what happens to connections')
    .action(async () => {
      const flags = command.opts<Flags & CommonFlags>();
      const words = command.args;
      context.code = await outcomeOf(io, flags.verbose === true, async () => {
        check(flags, words, io);
        await withMessaging(context, flags, (messaging) => run({ io, messaging }, flags, words));
      });
    });
}

async function withMessaging(
  { io, open }: Context,
  flags: CommonFlags,
  run: (messaging: Messaging) => Promise<void>,
): Promise<void> {
  const opened = open(openOptions(io, flags)).catch((error) => {
    throw inOurWords(error);
  });
  const messaging = await orAborted(opened, io.interrupted);
  try {
    await run(messaging);
  } finally {
    // The work is done or has failed for a reason that must not be hidden: a fault in closing changes neither.
    await messaging.close().catch((error) => {
      if (flags.verbose) note(io, `Closing failed: ${sentenceOf(error)}`);
    });
  }
}

function openOptions(io: Io, { config, broker, verbose }: CommonFlags): OpenOptions {
  return {
    ...(config === undefined ? {} : { configFile: config }),
    // Without routes every topic goes to the default.
    ...(broker === undefined ? {} : { default: broker, routes: {} }),
    ...(verbose ? { logger: loggerOf(io) } : {}),
  };
}

/** Core speaks to programmers. People gave an option of this command. */
function inOurWords(error: unknown): unknown {
  if (codeOf(error) !== 'INVALID_CONFIG') return error;
  return wrongUsage(
    sentenceOf(error)
      .replaceAll('default given to createMessaging', '--broker')
      .replace(/, or in code createMessaging\(.*(?=\.$)/, ''),
    (error as Error).cause,
  );
}

/** Messages alone: they name broker and cause, and hold no credentials. */
function loggerOf(io: Io) {
  const line = (text: string): void => note(io, sentenceOf(text));
  return { debug: line, info: line, warn: line, error: line };
}

async function outcomeOf(io: Io, verbose: boolean, run: () => Promise<void>): Promise<ExitCode> {
  try {
    await run();
    return EXIT.done;
  } catch (thrown) {
    const error = endOf(io, thrown);
    const sentence = sentenceOf(error);
    if (!(error instanceof CliError && error.message === '')) note(io, sentence);
    if (verbose) for (const line of causesOf(error)) note(io, line);
    return exitCodeOf(error);
  }
}

/** What was thrown because of Ctrl-C is not a failure, whatever it says. */
function endOf(io: Io, thrown: unknown): unknown {
  if (!io.interrupted.aborted || thrown instanceof CliError) return thrown;
  return io.interrupted.reason;
}
