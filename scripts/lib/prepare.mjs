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

/**
 * Installs the dependencies when the lock file is not the one that was installed last. Not by `npm ci`: it wants every
 * platform's optional packages in the lock file, and where a registry has only this platform's, npm does not write the others.
 */
export async function install() {
  const stamp = join(root, 'node_modules', '.anymq-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()) return true;
  console.error('Installing dependencies (about a minute)...');
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  if ((await run('npm', args, { quiet: true })) !== 0) return false;
  writeFileSync(stamp, lockHash());
  return true;
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

/** Compiles what changed. */
export async function build() {
  return (await run('node', ['node_modules/typescript/bin/tsc', '-b'], { quiet: true })) === 0;
}
