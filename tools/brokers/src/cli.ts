#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { brokerLogs, brokerStatus, ensureBroker, stopBroker } from './brokers.js';
import { BrokerError } from './errors.js';
import { BROKER_NAMES, type BrokerName } from './kind.js';
import { stopPrivate } from './private.js';
import { readOr } from './state.js';

const names = (): Argument => new Argument('[names...]', 'which ones; all when none is named').choices(BROKER_NAMES);
const chosen = (given: BrokerName[]): readonly BrokerName[] => (given.length === 0 ? BROKER_NAMES : given);

/** What a person can do something about is one sentence; anything else is our mistake and keeps its stack. */
function report(error: unknown): void {
  const isFault = error instanceof BrokerError || (error as NodeJS.ErrnoException).syscall !== undefined;
  if (!isFault) throw error;
  console.error((error as Error).message);
  process.exitCode = 1;
}

const forAll = (given: BrokerName[], act: (name: BrokerName) => Promise<void>): Promise<void[]> =>
  Promise.all(chosen(given).map((name) => act(name).catch(report)));

async function up(given: BrokerName[], { own = false }: { own?: boolean }): Promise<void> {
  await forAll(given, async (name) => {
    const { started, foreign, connection } = await ensureBroker(name, { own });
    const how = started ? 'started' : foreign ? 'runs already, not through us: it is used as it is' : 'runs already';
    console.log(`${name}: ${how} (${JSON.stringify(connection)})`);
  });
}

async function down(given: BrokerName[], { all }: { all?: boolean }): Promise<void> {
  await forAll(given, async (name) => {
    console.log(`${name}: ${(await stopBroker(name)) ? 'stopped' : 'nothing of ours runs'}`);
  });
  if (!all) return;
  const { stopped, inUse } = await stopPrivate();
  for (const folder of stopped) console.log(`private ${folder}: stopped and deleted`);
  for (const folder of inUse) console.log(`private ${folder}: left alone, the process that started it still runs`);
}

async function status({ json }: { json?: boolean }): Promise<void> {
  const all = await Promise.all(BROKER_NAMES.map((name) => brokerStatus(name)));
  if (json) return console.log(JSON.stringify(all));
  for (const { name, state, foreign, pids, connection } of all) {
    const by = foreign ? 'not through us' : pids.map((pid) => `pid ${pid}`).join(', ');
    console.log(`${name.padEnd(9)} ${state.padEnd(5)} ${JSON.stringify(connection)} ${by}`.trimEnd());
  }
}

function logs(name: BrokerName, { lines, follow }: { lines: number; follow?: boolean }): void {
  const files = brokerLogs(name);
  if (files.length === 0) throw new BrokerError(`There is no log of ${name}: we have not started it.`);
  if (follow) return void spawn('tail', ['-n', String(lines), '-F', ...files], { stdio: 'inherit' });
  for (const file of files)
    console.log(`== ${file}\n${readOr(file, '').trimEnd().split('\n').slice(-lines).join('\n')}`);
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It is not a number above 0.');
  return Number(text);
}

const program = new Command('brokers').description(
  'Real Kafka, RabbitMQ and RocketMQ for development and tests, without a container engine.',
);
program
  .command('up')
  .description('start what does not run, and wait until it answers')
  .addArgument(names())
  .option('--own', 'use none that others have started: ours moves to free ports, until it is stopped')
  .action(up);
program
  .command('down')
  .description('stop what we started')
  .addArgument(names())
  .option('--all', 'private instances that their owners left behind, too')
  .action(down);
program.command('status').description('what runs').option('--json', 'as one JSON array').action(status);
program
  .command('logs')
  .description('the last lines of the logs, and where they are')
  .addArgument(new Argument('<name>').choices(BROKER_NAMES))
  .option('-n, --lines <count>', 'how many lines', count, 40)
  .option('-f, --follow', 'go on printing what is added')
  .action(logs);

await program.parseAsync().catch(report);
