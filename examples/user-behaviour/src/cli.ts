#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerError } from '@anymq/brokers';
import { MessagingError } from '@anymq/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Archive } from './archive.js';
import { openCsv } from './csv-source.js';
import { ENGINES, type Engine, openMessaging } from './engine.js';
import { aborted, DemoError, Interrupted } from './errors.js';
import { generatedSource } from './generator.js';
import { Pipeline, type Result } from './pipeline.js';
import { type Progress, showProgress } from './progress.js';
import { toJson, toTables } from './report.js';
import type { Source } from './source.js';

const INTERRUPTED = 130;

interface Options {
  readonly on: Engine;
  readonly input?: string;
  readonly events: number;
  readonly seed: number;
  readonly archive?: string;
  readonly json?: boolean;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 to 999999999.');
  return Number(text);
}

const program = new Command('demo')
  .description(
    "A shop's click stream through one service: sent keyed by session, counted into a funnel by one group, archived in batches by another. The same code on every engine.",
  )
  .addOption(
    new Option('--on <engine>', 'where it runs; a real broker is started if it does not run')
      .choices(ENGINES)
      .default('memory'),
  )
  .addOption(new Option('--input <file.csv>', 'real events; made-up ones without it').conflicts(['events', 'seed']))
  .option('--events <count>', 'how many made-up events', whole, 10_000)
  .option('--seed <number>', 'the same seed makes the same events', whole, 1)
  .option(
    '--archive <file.jsonl>',
    'file that the archive group appends to (default: a new one in the temporary folder)',
  )
  .option('--json', 'print the result as one JSON object on the last line of standard output')
  .addHelpText(
    'after',
    `
A line that is no event is reported on standard error with its number and counted; it never stops the run.
Ctrl-C stops reading, handles what was sent and prints it (exit code 130); a second one ends at once.
What a run uses on a real broker stands under the namespace 'demo' and is used again by the next one, which ignores what
earlier runs left. One demo at a time per broker: two would share each other's messages.

Examples:
  npm run demo
  npm run demo -- --on kafka --input events.csv
  npm run demo -- --on rabbitmq --events 50000 --seed 7 --json`,
  )
  .allowExcessArguments(false)
  .action(main);

async function main(options: Options): Promise<void> {
  const signal = onInterrupt();
  const progress = showProgress();
  try {
    await run(options, progress, signal);
  } finally {
    progress.stop();
  }
  // Reading from a silent input cannot be taken back: it would keep the process.
  if (signal.aborted) process.exit(INTERRUPTED);
}

async function run(options: Options, progress: Progress, signal: AbortSignal): Promise<void> {
  // Files first: a mistake in a path must not start a broker.
  const source = await Promise.race([openSource(options), aborted(signal)]);
  await using archive = await Archive.open(
    options.archive ?? join(tmpdir(), `anymq-archive-${randomUUID().slice(0, 8)}.jsonl`),
  );
  await using messaging = await Promise.race([openMessaging(options.on, progress.note), aborted(signal)]);
  const result = await new Pipeline(messaging, {
    source,
    archive,
    onInvalid: (line, problem) => progress.note(`line ${line} is no event: ${problem}`),
    onProgress: progress.update,
    signal,
  }).run();
  progress.stop();
  console.error(`archive: ${archive.file}`);
  await print(options, result);
}

const openSource = async ({ input, events, seed }: Options): Promise<Source> =>
  input === undefined ? generatedSource(events, seed) : openCsv(input);

function print({ on, json }: Options, result: Result): Promise<void> {
  const text = json ? toJson(on, result) : toTables(on, result);
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

/** The first Ctrl-C stops reading and drains, the second ends at once. */
function onInterrupt(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(INTERRUPTED);
      console.error('\nStopping: what was sent is handled to its end. Once more to stop at once.');
      abort.abort(new Interrupted('Stopped before anything was sent.'));
    });
  }
  return abort.signal;
}

try {
  await program.parseAsync();
} catch (error) {
  const expected = [DemoError, Interrupted, BrokerError, MessagingError].some((kind) => error instanceof kind);
  if (!expected) throw error;
  console.error((error as Error).message);
  process.exit(error instanceof Interrupted ? INTERRUPTED : 1);
}
