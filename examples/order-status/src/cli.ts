#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerError } from '@anymq/brokers';
import { MessagingError } from '@anymq/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import { problemsOf } from './checks.js';
import { ENGINES, type Engine, openPlace } from './engine.js';
import { ExampleError } from './errors.js';
import { toJson, toTables } from './report.js';
import { type Outcome, Scenario } from './scenario.js';

const MIN_ORDERS = 10;
const MAX_ORDERS = 20_000;

interface Options {
  readonly on: Engine;
  readonly orders: number;
  readonly seed: number;
  readonly journals?: string;
  readonly json?: boolean;
}

const wholeFrom =
  (min: number, max: number) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };

const program = new Command('example:order-status')
  .description(
    'Order status updates of a payment system: three services react to each order in turn, some calls fail, one order is poison, one service is killed, unpaid orders expire. Then it checks that nothing was lost. The same code on every engine.',
  )
  .addOption(
    new Option('--on <engine>', 'where it runs; a real broker is started if it does not run')
      .choices(ENGINES)
      .default('memory'),
  )
  .option('--orders <count>', 'how many orders, 100 a second', wholeFrom(MIN_ORDERS, MAX_ORDERS), 200)
  .option('--seed <number>', 'the same seed makes the same orders and accidents', wholeFrom(0, 999_999_999), 1)
  .option('--journals <folder>', 'keep the journals of the services there (default: only when a check fails)')
  .option('--json', 'print the result as one JSON object on the last line of standard output')
  .addHelpText(
    'after',
    `
What happens is told on standard error, the result on standard output. Exit code 1 and a sentence for each check that fails.
What a run uses on a real broker stands under the namespace 'order-status' and is used again by the next one, which ignores
what earlier runs left. One run at a time per broker: two would share each other's messages.

Examples:
  npm run example:order-status
  npm run example:order-status -- --on kafka
  npm run example:order-status -- --on rabbitmq --orders 1000 --seed 7 --json`,
  )
  .allowExcessArguments(false)
  .action(main);

async function main(options: Options): Promise<void> {
  const { on, orders, seed } = options;
  const note = (line: string): void => console.error(line);
  const run = randomUUID().slice(0, 8);
  const folder = await journalsFolder(options.journals, run);
  const place = await openPlace(on, note);
  const outcome = await new Scenario({ place, orders, seed, run, folder, note }).run();
  const problems = problemsOf(outcome);
  await print(options, outcome, problems);
  for (const problem of problems) note(problem);
  if (problems.length > 0) process.exitCode = 1;
  if (problems.length > 0 || options.journals !== undefined) note(`journals: ${folder}`);
  else await rm(folder, { recursive: true });
}

/** A folder for this run alone. */
async function journalsFolder(given: string | undefined, run: string): Promise<string> {
  if (given === undefined) return mkdtemp(join(tmpdir(), 'anymq-order-status-'));
  const folder = join(given, run);
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new ExampleError(`Cannot make the folder ${folder}: ${error.message}.`);
  });
  return folder;
}

function print({ on, json }: Options, outcome: Outcome, problems: readonly string[]): Promise<void> {
  const text = json ? toJson(on, outcome, problems) : toTables(on, outcome);
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

try {
  await program.parseAsync();
} catch (error) {
  const expected = [ExampleError, BrokerError, MessagingError].some((kind) => error instanceof kind);
  if (!expected) throw error;
  console.error((error as Error).message);
  process.exit(1);
}
