#!/usr/bin/env node
import { Argument, Command } from 'commander';
import { brokerLogs, brokerStatus, ensureBroker, stopBroker, stopPrivate } from './brokers.js';
import { BROKER_NAMES, type BrokerName } from './kind.js';
import { BrokerError } from './process.js';
import { readOr } from './state.js';

const names = (): Argument => new Argument('[names...]', 'which ones; all when none is named').choices(BROKER_NAMES);
const chosen = (given: BrokerName[]): readonly BrokerName[] => (given.length === 0 ? BROKER_NAMES : given);

async function up(given: BrokerName[]): Promise<void> {
  let failed = false;
  for (const name of chosen(given)) {
    try {
      const { started, foreign, connection } = await ensureBroker(name);
      const how = started ? 'started' : foreign ? 'runs already, not through us: it is used as it is' : 'runs already';
      console.log(`${name}: ${how} (${JSON.stringify(connection)})`);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      failed = true;
      console.error(error.message);
    }
  }
  if (failed) process.exitCode = 1;
}

async function down(given: BrokerName[], { all }: { all?: boolean }): Promise<void> {
  for (const name of chosen(given))
    console.log(`${name}: ${(await stopBroker(name)) ? 'stopped' : 'nothing of ours runs'}`);
  if (all) for (const folder of await stopPrivate()) console.log(`private ${folder}: stopped and deleted`);
}

async function status({ json }: { json?: boolean }): Promise<void> {
  const all = await Promise.all(BROKER_NAMES.map(brokerStatus));
  if (json) console.log(JSON.stringify(all));
  else
    for (const { name, state, foreign, pids, connection } of all)
      console.log(
        `${name.padEnd(9)} ${state}${foreign ? ' (not through us)' : ''} ${pids.join(' ')} ${JSON.stringify(connection)}`,
      );
}

function logs(name: BrokerName, { lines }: { lines: number }): void {
  const files = brokerLogs(name);
  if (files.length === 0) throw new BrokerError(`There is no log of ${name}: we have not started it.`);
  for (const file of files)
    console.log(`== ${file}\n${readOr(file, '').trimEnd().split('\n').slice(-lines).join('\n')}`);
}

const program = new Command('brokers').description(
  'Real Kafka, RabbitMQ and RocketMQ for development and tests, without a container engine.',
);
program.command('up').description('start what does not run, and wait until it answers').addArgument(names()).action(up);
program
  .command('down')
  .description('stop what we started')
  .addArgument(names())
  .option('--all', 'private instances that were left behind, too')
  .action(down);
program.command('status').description('what runs').option('--json', 'as one JSON array').action(status);
program
  .command('logs')
  .description('the last lines of the logs, and where they are')
  .addArgument(new Argument('<name>').choices(BROKER_NAMES))
  .option('-n, --lines <count>', 'how many lines', Number, 40)
  .action(logs);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof BrokerError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
