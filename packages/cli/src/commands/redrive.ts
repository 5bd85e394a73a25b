import { DEFAULT_MAX_CYCLES } from '@anymq/core';
import type { Command } from 'commander';
import { integerFrom, numberFrom } from '../arguments.js';
import { nothingMatched } from '../errors.js';
import { letterCount } from '../format/letter.js';
import { type Io, print } from '../io.js';
import { groupCommand, noneOf, onLetters } from '../letters-command.js';
import type { DeadLetters, RedriveReport } from '../messaging-port.js';
import { type SelectionFlags, selectable, selectionOf } from '../selection.js';
import type { Context } from '../session.js';
import { noteMissing, stoppable } from '../stoppable.js';

interface Flags extends SelectionFlags {
  readonly rate?: number;
  readonly dryRun?: boolean;
  readonly toGroup?: string;
  readonly maxCycles?: number;
}

/** `anymq dead-letters redrive`. */
export function redriveLetters(context: Context, parent: Command): void {
  const command = selectable(
    groupCommand(parent, 'redrive').description(
      'Send dead letters back to the group that gave them up, and to it alone. Each is removed when it is stored there; interrupted at any point, none is lost.',
    ),
  )
    .option(
      '--rate <number>',
      'letters a second (default: as fast as the broker takes them)',
      numberFrom(0.001, 100_000),
    )
    .option('--dry-run', 'say what would be done and do nothing')
    .option('--to-group <group>', 'give them to another group of the same topic')
    .option(
      '--max-cycles <number>',
      `letters that were redriven so often already stay (default: ${DEFAULT_MAX_CYCLES})`,
      integerFrom(1, 1_000_000),
    )
    .addHelpText(
      'after',
      `
Examples:
  anymq dead-letters redrive --topic orders.paid --group shipping --where code=TIMEOUT --dry-run
  anymq dead-letters redrive --topic orders.paid --group shipping --where code=TIMEOUT --rate 50
  anymq dead-letters redrive --topic orders.paid --group shipping --id dl-3f2a91c4e6b01d58a7c9f2043b6e8d15 --to-group shipping-test

Exits with 3 when no letter is selected. Ctrl-C stops between letters: what was redriven is, the rest stays.`,
    );
  onLetters<Flags>(context, command, async (letters, flags, { io, messaging }) => {
    const report = await redrive(io, letters, flags);
    if (report.selected === 0) throw nothingMatched(await noneOf({ io, messaging }, letters, flags));
    await print(io, flags.json ? JSON.stringify(report) : sentence(report, flags, letters));
    noteMissing(io, flags, report.selected);
  });
}

const redrive = (io: Io, letters: DeadLetters, flags: Flags): Promise<RedriveReport> =>
  stoppable(io, 'redriven', (stopping) => letters.redrive(selectionOf(flags), { ...optionsOf(flags), ...stopping }));

function optionsOf({ rate, dryRun, toGroup, maxCycles }: Flags) {
  return {
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    ...(dryRun ? { dryRun } : {}),
    ...(toGroup === undefined ? {} : { to: { group: toGroup } }),
    ...(maxCycles === undefined ? {} : { maxCycles }),
  };
}

function sentence({ selected, redriven, exhausted }: RedriveReport, flags: Flags, { group }: DeadLetters): string {
  const verb = flags.dryRun ? 'Would redrive' : 'Redriven';
  const told = `${verb} ${redriven} of ${letterCount(selected)} to group '${flags.toGroup ?? group}'.`;
  if (exhausted === 0) return told;
  return `${told} Left where they are, redriven ${flags.maxCycles ?? DEFAULT_MAX_CYCLES} times or more already: ${exhausted} (--max-cycles).`;
}
