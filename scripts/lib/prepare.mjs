import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './process.mjs';

/** Node 20.19 is the first 20 that loads ES modules with `require`, which our tools need. */
const OLDEST_NODE = [20, 19];

/** Ends the process with one sentence on a Node that is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  console.error(`AnyMQ needs Node ${OLDEST_NODE.join('.')} or newer, this is ${process.versions.node}.`);
  process.exit(1);
}

/** Installs the dependencies when the lock file is not the one that was installed last. */
export async function install() {
  const stamp = join(root, 'node_modules', '.anymq-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  console.error('Installing dependencies (about a minute)...');
  if ((await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true })) !== 0) return false;
  writeFileSync(stamp, wanted);
  return true;
}

/** Compiles what changed. */
export async function build() {
  return (await run('node', ['node_modules/typescript/bin/tsc', '-b'], { quiet: true })) === 0;
}
