#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerError, type BrokerName, ensureBroker } from '@anymq/brokers';
import { createMessaging, type Messaging, MessagingError } from '@anymq/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import { csvSource } from './csv-source.js';
import { generatedSource } from './generator.js';
import { Pipeline, type Result } from './pipeline.js';
import { type Progress, showProgress } from './progress.js';
import { toJson, toTables } from './report.js';
import { InputError } from './source.js';

const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'] as const;
const INTERRUPTED = 130;

interface Options {
  readonly on: (typeof ENGINES)[number];
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
  .option('--input <file.csv>', 'real events; made-up ones without it')
  .option('--events <count>', 'how many made-up events', whole, 10_000)
  .option('--seed <number>', 'the same seed makes the same events', whole, 1)
  .option('--archive <file.jsonl>', 'where the archive group writes (default: a new file in the temporary folder)')
  .option('--json', 'print the result as one JSON object on the last line')
  .addHelpText(
    'after',
    '\nEvery run has a namespace of its own on the broker, so runs do not see each other; its topics stay there.',
  )
  .allowExcessArguments(false)
  .action(main);

async function main(options: Options): Promise<void> {
  const abort = new AbortController();
  onInterrupt(abort);
  const archiveFile = options.archive ?? join(tmpdir(), `anymq-archive-${randomUUID().slice(0, 8)}.jsonl`);
  writeFileSync(archiveFile, '');
  const progress = showProgress();
  try {
    await using messaging = await openMessaging(options.on, progress);
    const begin = performance.now();
    const result = await pipeline(messaging, options, archiveFile, progress, abort.signal).run();
    progress.stop();
    print(options, result, archiveFile, (performance.now() - begin) / 1_000);
  } finally {
    progress.stop();
  }
  if (abort.signal.aborted) process.exitCode = INTERRUPTED;
}

async function openMessaging(engine: Options['on'], progress: Progress): Promise<Messaging> {
  const namespace = `demo-${randomUUID().slice(0, 8)}`;
  if (engine === 'memory')
    return createMessaging({ namespace, brokers: { main: { adapter: engine } }, cwd: import.meta.dirname });
  progress.note(`Making sure that ${engine} runs...`);
  const { connection } = await ensureBroker(engine satisfies BrokerName);
  return createMessaging({
    namespace,
    brokers: { main: { adapter: engine, ...connection } },
    cwd: import.meta.dirname,
  });
}

function pipeline(
  messaging: Messaging,
  { input, events, seed }: Options,
  archiveFile: string,
  progress: Progress,
  signal: AbortSignal,
): Pipeline {
  return new Pipeline(messaging, {
    source: input === undefined ? generatedSource(events, seed) : csvSource(input),
    archiveFile,
    onInvalid: (line, problem) => progress.note(`line ${line} is no event: ${problem}`),
    onProgress: (moment) => progress.update(moment),
    signal,
  });
}

function print({ on, json }: Options, result: Result, archiveFile: string, seconds: number): void {
  console.error(`archive: ${archiveFile}`);
  console.log(json ? toJson(on, result) : toTables(on, result, seconds));
}

/** The first Ctrl-C stops reading and drains, the second ends at once. */
function onInterrupt(abort: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(INTERRUPTED);
      console.error('\nStopping: what was sent is handled to its end. Once more to stop at once.');
      abort.abort();
    });
  }
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof InputError || error instanceof BrokerError || error instanceof MessagingError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
