// Runs every case against every saboteur on the memory engine, keeps the matrix, and writes the table of docs/saboteurs.md.
// npm run saboteurs [-- NAME...]   with names: these saboteurs alone, and nothing is written.
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { saboteurs } from '../packages/contract-kit/dist/src/index.js';
import { each, limitsFrom, resultsOf } from './lib/hunts.mjs';
import { root } from './lib/process.mjs';
import { withSaboteurs } from './lib/saboteurs.mjs';

/** Each takes a quarter of a processor. With more a process may stand still and lose its leases: cases fail that no saboteur has touched. */
const AT_ONCE = 2 * availableParallelism();
const names = process.argv.slice(2);
const wanted = saboteurs.filter(({ name }) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => saboteurs.every((one) => one.name !== name));
if (unknown.length > 0) throw new Error(`there is no saboteur '${unknown.join("', '")}'`);

const healthy = await resultsOf();
const idsOf = (results, wantedStatus) => results.filter(({ status }) => status === wantedStatus).map(({ id }) => id);
const sick = healthy.filter(({ status }) => status === 'failed');
for (const { id, error } of sick) console.error(`${id} fails on the adapter as it is, so it is left out: ${error}`);

const folder = join(root, '.results');
mkdirSync(folder, { recursive: true });
const log = join(folder, 'saboteurs.jsonl');
rmSync(log, { force: true });
const limits = limitsFrom(healthy);
const found = new Map();
await each(wanted, AT_ONCE, async ({ name, killedBy }) => {
  const results = await resultsOf(name, limits).catch((error) => error);
  // Each line at once: a run that is ended keeps what it has found.
  appendFileSync(log, `${JSON.stringify({ saboteur: name, results })}\n`);
  if (results instanceof Error) return console.error(results.message);
  const sound = results.filter(({ id }) => sick.every((one) => one.id !== id));
  const [killers, survived] = [idsOf(sound, 'failed'), idsOf(sound, 'passed')];
  found.set(name, { saboteur: name, killedBy: killers, survived });
  const missed = killedBy.filter((id) => !killers.includes(id));
  console.log(`${name}: ${killers.join(' ') || 'SURVIVED'}${missed.length > 0 ? `, NOT BY ${missed.join(' ')}` : ''}`);
});

const matrix = wanted.flatMap(({ name }) => found.get(name) ?? []);
const killers = new Set(matrix.flatMap(({ killedBy }) => killedBy));
const idle = idsOf(healthy, 'passed').filter((id) => !killers.has(id));
console.log(`${killers.size} cases kill something; these kill nothing: ${idle.join(' ') || 'none'}`);
if (names.length === 0) {
  const rows = Object.fromEntries(matrix.map(({ saboteur, killedBy }) => [saboteur, killedBy.join(' ')]));
  writeFileSync(join(root, 'docs/saboteurs.json'), `${JSON.stringify(rows, null, 2)}\n`);
  const file = join(root, 'docs/saboteurs.md');
  writeFileSync(file, withSaboteurs(readFileSync(file, 'utf8'), saboteurs));
}
const kills = ({ name, killedBy }) => killedBy.every((id) => found.get(name)?.killedBy.includes(id));
process.exit(sick.length === 0 && wanted.every(kills) ? 0 : 1);
