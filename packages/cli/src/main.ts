import { Command, CommanderError } from 'commander';
import { deadLetters } from './commands/dead-letters.js';
import { groups } from './commands/groups.js';
import { publish } from './commands/publish.js';
import { tail } from './commands/tail.js';
import { topics } from './commands/topics.js';
import { CliError, EXIT, type ExitCode, sentenceOf } from './errors.js';
import { type Io, note } from './io.js';
import type { OpenMessaging } from './messaging-port.js';
import type { Context } from './session.js';
import { version } from './version.js';

const MORE = `
It works on any broker: brokers, routes and namespace come from the anymq.config.* and the environment of your services.

Exit codes:
  0    done
  1    failed: the broker does not answer, refuses, or nothing was removed after all
  2    wrong usage or configuration
  3    nothing matched: no such dead letter
  130  interrupted

Examples:
  anymq groups --topic orders.paid
  anymq dead-letters stats --topic orders.paid --group shipping
  anymq dead-letters redrive --topic orders.paid --group shipping --where code=TIMEOUT --rate 50
  anymq tail --topic orders.paid --keyed`;

/** Runs the command. Resolves with its exit code and never rejects. */
export async function main(args: readonly string[], io: Io, open: OpenMessaging): Promise<ExitCode> {
  const context: Context = { io, open, code: EXIT.done };
  try {
    await programOf(context).parseAsync([...args], { from: 'user' });
    return context.code;
  } catch (error) {
    return parseFailure(io, error);
  }
}

function programOf(context: Context): Command {
  const { io } = context;
  const program = new Command('anymq')
    .description('Messages, groups and dead letters of any broker, for the person on call.')
    .version(version())
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      // Help that nobody reads to its end is no failure.
      writeOut: (text) => void io.write(text).catch(() => {}),
      writeErr: (text) => io.report(text),
      outputError: (text, write) => write(`${wrongLine(text)}\n`),
    })
    .addHelpText('after', MORE);
  for (const add of [deadLetters, topics, groups, publish, tail]) add(context, program);
  return program;
}

/** Commander's sentence as one of ours: in one line, with where to look. */
function wrongLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  const sentence = line.charAt(0).toUpperCase() + line.slice(1);
  return /[.)]$/.test(sentence) ? sentence : `${sentence}: --help shows what there is.`;
}

/** Commander has written its sentence already; what an option's own check threw nobody has. */
function parseFailure(io: Io, error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  note(io, sentenceOf(error));
  return error instanceof CliError ? error.exitCode : EXIT.failed;
}
