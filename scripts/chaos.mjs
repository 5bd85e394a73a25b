// Breaks real engines while messages flow, judges the histories, and prints a row for each engine and scenario.
// Flags: --on kafka|rabbitmq|rocketmq|all, --only scenario,..., --short, --json file, --from file,... (results of earlier runs in place
// of a run), --write-docs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL, runChaos, SCENARIOS, SHORT } from '@anymq/contract-kit';
import { passed, problems, tableOf } from './lib/chaos.mjs';
import { withPart } from './lib/generated.mjs';
import { root } from './lib/process.mjs';

const ENGINES = ['kafka', 'rabbitmq', 'rocketmq'];
const folder = join(root, '.results', 'chaos');

const { values } = parseArgs({
  options: {
    on: { type: 'string', default: 'all' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'string', default: join(folder, 'chaos.json') },
    from: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
  },
});
const engines = chosen(values.on === 'all' ? ENGINES : values.on.split(','), ENGINES, 'engine');
const names = SCENARIOS.map(({ name }) => name);
const only = chosen(values.only?.split(',') ?? names, names, 'scenario');

const { short, rows } = values.from === undefined ? await run() : read(values.from.split(','));

const table = tableOf(rows);
console.log(`\n${table.join('\n')}`);
if (values['write-docs']) {
  const page = join(root, 'docs', 'chaos.md');
  const lines = [formOf(short), '', ...table];
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'chaos', 'chaos -- --write-docs', lines));
}
const bad = rows.filter((row) => !passed(row));
if (bad.length > 0) console.log(`\n${bad.map(problems).join('\n')}\nHistories: ${folder}`);
process.exit(bad.length === 0 ? 0 : 1);

async function run() {
  // One engine after another: two that recover at once take each other's processor, and load would be a fault of its own.
  const rows = [];
  for (const engine of engines) rows.push(...(await chaosOn(engine)));
  const result = { short: values.short, rows };
  mkdirSync(dirname(values.json), { recursive: true });
  const plain = (_, value) => (value instanceof Error ? { message: value.message } : value);
  writeFileSync(values.json, `${JSON.stringify(result, plain, 2)}\n`);
  return result;
}

/** What earlier runs have found, put together. */
function read(files) {
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  if (new Set(results.map(({ short: form }) => form)).size > 1) throw new Error('--from mixes short and full forms');
  return { short: results[0].short, rows: results.flatMap((result) => result.rows) };
}

function chosen(wanted, known, what) {
  const strange = wanted.filter((name) => !known.includes(name));
  if (strange.length === 0) return wanted;
  console.error(`There is no ${what} ${strange.join(', ')}. There are: ${known.join(', ')}.`);
  process.exit(1);
}

function formOf(short) {
  const { messages, keys, ratePerSecond } = (short ? SHORT : FULL).load;
  const form = short ? 'Short' : 'Full';
  return `${form} form: ${messages} messages over ${keys} keys, two members, at most ${ratePerSecond} messages per second.`;
}

async function chaosOn(engine) {
  const { target } = await import(`../packages/adapter-${engine}/dist/test/support/chaos.js`);
  const run = `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${engine}`;
  return runChaos(target, {
    ...(values.short ? SHORT : FULL),
    only,
    folder: join(folder, run),
    onRow: (row) => console.log(`${passed(row) ? 'ok  ' : 'FAIL'} ${row.target} ${row.scenario} (${row.seconds} s)`),
  });
}
