import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MessagingError } from '@anymq/core';
import type { Command } from 'commander';
import { untilAborted } from '../abortable.js';
import { CliError, failed, sentenceOf, wrongUsage } from '../errors.js';
import { letterCount } from '../format/letter.js';
import { type Io, note, print } from '../io.js';
import { groupCommand, noneOf, onLetters } from '../letters-command.js';
import { type Progress, progressOf } from '../progress.js';
import { type SelectionFlags, selectable, selectionOf } from '../selection.js';
import type { Context } from '../session.js';

interface Flags extends SelectionFlags {
  readonly output?: string;
}

/** `anymq dead-letters export`. */
export function exportLetters(context: Context, parent: Command): void {
  const command = selectable(
    groupCommand(parent, 'export').description(
      'Write dead letters as JSON lines, bit-exact, to standard output or a file. They stay where they are.',
    ),
  )
    .option('--output <file>', 'a file that does not exist yet; it appears when it is complete')
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters export --topic orders.paid --group shipping --output shipping.jsonl
  anymq dead-letters export --topic orders.paid --group shipping | gzip > shipping.jsonl.gz

The lines are what import takes.`,
    );
  onLetters<Flags>(
    context,
    command,
    async (letters, flags, session) => {
      const { io } = session;
      const progress = progressOf(io, 'exported');
      try {
        const lines = counted(untilAborted(letters.export(selectionOf(flags)), io.interrupted), progress);
        await (flags.output === undefined ? toOutput(io, lines) : toFile(flags.output, lines));
        progress.stop();
        if (lines.count() === 0) note(io, await noneOf(session, letters, flags));
        note(io, `Exported ${letterCount(lines.count())}${flags.output === undefined ? '' : ` to ${flags.output}`}.`);
      } finally {
        progress.stop();
      }
    },
    ({ output }) => {
      if (output !== undefined && existsSync(output))
        throw wrongUsage(`${output} exists already: export to a new file, so that nothing is lost.`);
    },
  );
}

interface CountedLines extends AsyncIterable<string> {
  count(): number;
}

/** Counts lines as they pass. */
export function counted(lines: AsyncIterable<string>, progress: Progress): CountedLines {
  let count = 0;
  return {
    count: () => count,
    async *[Symbol.asyncIterator]() {
      for await (const line of lines) {
        yield line;
        count += 1;
        progress.update(count);
      }
    },
  };
}

async function toOutput(io: Io, lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) await print(io, line);
}

/** A file under its name is complete: a purge may come next. */
async function toFile(file: string, lines: AsyncIterable<string>): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(Readable.from(withEnds(lines)), createWriteStream(partial, { flush: true }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    // What is neither core's nor ours is the file system's.
    if (error instanceof MessagingError || error instanceof CliError) throw error;
    throw failed(`Cannot write ${file}: ${sentenceOf(error)}.`, error);
  }
}

async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
