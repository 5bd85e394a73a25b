import { fork } from 'node:child_process';
import { join } from 'node:path';
import { root } from './process.mjs';

/** A case of a broken adapter that is only slower than a healthy one is not killed: it gets so many times as long, and this. */
const [TIMES, MORE_MS] = [3, 6_000];
/** Most time of one process: the cases' own limits end before. */
const PROCESS_MS = 1_800_000;

/** What came of each case on the memory engine, broken by the saboteur, or as it is without a name. */
export function resultsOf(name = '', limits = {}) {
  const worker = join(root, 'scripts/lib/hunting.mjs');
  const child = fork(worker, [name, JSON.stringify(limits)], { timeout: PROCESS_MS, execArgv: ['--no-warnings'] });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`${name || 'the healthy adapter'}: ended by ${signal ?? code} without its results`)),
    );
  });
}

/** Most milliseconds of each case, from how long it took on the adapter as it is. */
export function limitsFrom(healthy) {
  return Object.fromEntries(healthy.map(({ id, durationMs }) => [id, TIMES * durationMs + MORE_MS]));
}

/** Every one of `items` through `work`, some at once. */
export async function each(items, atOnce, work) {
  const queue = [...items];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
