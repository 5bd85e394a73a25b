#!/usr/bin/env node
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ContractCase } from './case.js';
import { cases } from './cases/index.js';
import { type Certificate, certify } from './certificate.js';
import { type AdapterOptions, loadTarget } from './load-target.js';
import { lineOf, listOf, summaryOf } from './print.js';
import { randomSeed, runContract } from './runner.js';

/** Exit codes: 0 what ran is kept, 1 a case failed, 2 nothing could be run. */
const NOT_KEPT = 1;
const NOT_RUN = 2;

interface Flags {
  readonly law?: readonly number[];
  readonly case?: readonly string[];
  readonly options?: AdapterOptions;
  readonly unreachable?: AdapterOptions;
  readonly seed?: number;
  readonly timeout?: number;
  readonly certificate?: string;
  readonly json?: boolean;
  readonly list?: boolean;
}

const MORE = `
Examples:
  anymq-contract ./my-adapter.js                         the whole contract
  anymq-contract ./my-adapter.js --law 6 --law 7         two laws of it
  anymq-contract ./my-adapter.js --case OR3 --seed 42    one case, with the content of an earlier run
  anymq-contract ./my-adapter.js --json > result.json    the certificate to a file, progress on the terminal
  anymq-contract my-package --options '{"folder":"/tmp/q"}' --unreachable '{"folder":"/dev/null/x"}'
  anymq-contract --list --law 6                          the cases of a law

A case is skipped only for a capability that the adapter declares unsupported.

Exit codes:
  0  every case that ran passed
  1  a case failed, or the adapter threw where nobody could catch it
  2  nothing could be run: a wrong argument, no such module, no target in it, no broker
`;

const command = new Command('anymq-contract')
  .description('Holds an AnyMQ adapter to the contract and prints a certificate.')
  .argument('[module]', "path or package that exports 'target' (a ContractTarget) or 'adapter' (an AdapterPackage)")
  .addOption(new Option('--law <number>', 'only the cases of this law; may be repeated').argParser(collect(integer)))
  .addOption(new Option('--case <id>', 'only this case; may be repeated').argParser(collect(String)))
  .option('--options <json>', "options of the adapter, for a module that exports 'adapter'", json)
  .option('--unreachable <json>', 'options with which that adapter finds no broker, for the cases about it', json)
  .option('--seed <number>', 'repeat the random content of an earlier run', integer)
  .option('--timeout <ms>', 'most time of one case, in place of its own', positive)
  .option('--certificate <file>', 'write the certificate there, too')
  .option('--json', 'print the certificate to standard output, progress to standard error')
  .option('--list', 'print the cases and run none')
  .addHelpText('after', MORE)
  .showHelpAfterError('(anymq-contract --help explains the arguments)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : NOT_RUN))
  .action(async (module: string | undefined, flags: Flags) => {
    process.exitCode = await run(module, flags).catch((error: Error) => {
      console.error(error.message);
      return NOT_RUN;
    });
  });

// `| head` has seen enough.
process.stdout.on('error', () => process.exit(NOT_RUN));
process.on('uncaughtException', (error) => {
  console.error('The adapter threw where nobody could catch it:', error);
  process.exit(NOT_KEPT);
});
async function run(module: string | undefined, flags: Flags): Promise<number> {
  const wanted = choose(flags);
  if (flags.list) {
    await print(flags.json ? pretty(wanted.map(listed)) : listOf(wanted));
    return 0;
  }
  if (module === undefined) throw new Error('Name the module to test: anymq-contract ./my-adapter.js');
  if (flags.certificate !== undefined) checkFolder(flags.certificate);
  const certificate = await judge(module, wanted, flags);
  if (flags.certificate !== undefined) writeFileSync(flags.certificate, `${pretty(certificate)}\n`);
  await print(flags.json ? pretty(certificate) : summaryOf(certificate));
  return certificate.cases.some(({ status }) => status === 'failed') ? NOT_KEPT : 0;
}

async function judge(module: string, wanted: readonly ContractCase[], flags: Flags): Promise<Certificate> {
  const target = await loadTarget(module, flags);
  const opened = await target.open();
  const { seed = randomSeed(), timeout } = flags;
  try {
    const say = flags.json ? console.error : console.log;
    const results = await runContract(opened, {
      cases: wanted,
      seed,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      onResult: (result) => say(lineOf(result)),
    });
    return await certify(target.name, opened, results, seed);
  } finally {
    await opened.close?.();
  }
}

function choose({ law: laws, case: ids }: Flags): readonly ContractCase[] {
  if (laws === undefined && ids === undefined) return cases;
  const unknown = [
    ...(laws ?? []).filter((law) => !cases.some((one) => one.law === law)).map((law) => `law ${law}`),
    ...(ids ?? []).filter((id) => !cases.some((one) => one.id === id)).map((id) => `case ${id}`),
  ];
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', no ')}. See anymq-contract --list.`);
  return cases.filter(({ id, law }) => laws?.includes(law) || ids?.includes(id));
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
const listed = ({ id, law, title, needs }: ContractCase) => ({ id, law, title, needs });

/** Resolves when it is out: a pipe may take it later, and the command ends by `process.exit`. */
const print = (text: string): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));

/** Before the run, not after it. */
function checkFolder(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new Error(`The certificate cannot be written: there is no folder ${folder}.`);
}

function collect<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}

function integer(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function positive(text: string): number {
  if (integer(text) === 0) throw new InvalidArgumentError('It must be greater than 0.');
  return Number(text);
}

function json(text: string): AdapterOptions {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as AdapterOptions;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}

await command.parseAsync();
// An adapter that leaves something open must not keep the command from ending; the leak is for `cycles` to find.
process.exit();
