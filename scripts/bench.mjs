// Compares AnyMQ with the raw clients. Flags: those of benchmarks/src/cli.ts (--help); --from file,... (figures of earlier runs in
// place of a run); --write-docs, which puts what was measured into docs/performance.json, beside what that has of other works
// and engines, and all of it into the tables of docs/performance.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { table, withPart } from './lib/generated.mjs';
import { root, run } from './lib/process.mjs';

const JSON_FILE = join(root, '.results', 'bench', 'bench.json');
const STORE = join(root, 'docs', 'performance.json');
const PAGE = join(root, 'docs', 'performance.md');
/** What is about failure and time stands in a table of its own. */
const TROUBLE = ['poison', 'retry', 'delay'];

const { readSections, writeSections, merged, inShort } = await import('../benchmarks/dist/src/results.js');
const { cellsOf, HEAD, textOf } = await import('../benchmarks/dist/src/report.js');

const args = process.argv.slice(2);
const writing = take('--write-docs', 0) !== undefined;
const from = take('--from', 1);
const fresh = from === undefined ? await measured() : earlier(from.split(','));
if (writing) writeDocs(fresh);

/** What this run measures. */
async function measured() {
  const began = new Date().toISOString();
  const code = await run('node', ['--enable-source-maps', 'benchmarks/dist/src/cli.js', ...args]);
  if (code !== 0) process.exit(code);
  const at = args.indexOf('--json');
  return readSections(at < 0 ? JSON_FILE : args[at + 1]).filter((section) => section.at >= began);
}

function earlier(files) {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) fail(`--from takes files that --json has written; there is no ${missing.join(', ')}.`);
  if (args.length > 0) fail(`--from is in place of a run, so ${args.join(' ')} means nothing beside it.`);
  const sections = merged(files.flatMap(readSections));
  console.log(textOf(sections));
  return sections;
}

function writeDocs(sections) {
  writeSections(STORE, merged(inShort([...readSections(STORE), ...sections])));
  const all = readSections(STORE);
  const machines = [...new Set(all.map(({ machine }) => machine))].join('; ');
  const about = `${machines}; brokers on the same machine. The last column says when a row was measured, and of which commit.`;
  const isTrouble = ({ work }) => TROUBLE.includes(work);
  writePart(
    'bench',
    [about, ''],
    all.filter((section) => !isTrouble(section)),
  );
  writePart('bench of trouble', [], all.filter(isTrouble));
}

function writePart(what, before, sections) {
  if (sections.length === 0) return;
  const lines = [...before, ...table(HEAD, cellsOf(sections))];
  writeFileSync(PAGE, withPart(readFileSync(PAGE, 'utf8'), what, 'bench -- --write-docs', lines));
}

/** The flag, and as many values as it has, are not the runner's. */
function take(flag, values) {
  const at = args.indexOf(flag);
  if (at < 0) return undefined;
  const taken = args.splice(at, 1 + values);
  if (taken.length === 1 + values) return taken.at(-1);
  return fail(`${flag} takes a value.`);
}

function fail(why) {
  console.error(why);
  process.exit(1);
}
