import { randomUUID } from 'node:crypto';
import { closeSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerError } from './errors.js';
import { identityOf, stillRuns } from './identity.js';
import { until } from './process.js';
import { readOr } from './state.js';

/** Longer than a download of jars and a start on a slow machine. */
const WAIT_MS = 300_000;
const QUIET_MS = 3_000;
/** Removing a dead holder's lock takes microseconds: who began that so long ago died meanwhile. */
const ABANDONED_MS = 10_000;

/** Runs `work` while no other process holds the lock `name` in `folder`. A lock whose holder is gone is nobody's. */
export async function locked<T>(folder: string, name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.lock`);
  await acquire(file, name);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file: string, name: string): Promise<void> {
  if (await until(() => take(file), QUIET_MS)) return;
  const holder = `process ${Number.parseInt(readOr(file, '0'), 10)}`;
  process.stderr.write(`Waiting for ${holder}, which is busy with ${name}...\n`);
  if (await until(() => take(file), WAIT_MS)) return;
  throw new BrokerError(`${holder} has held ${file} for ${WAIT_MS / 1_000} s: end it, or delete the file.`);
}

function take(file: string): boolean {
  // A file that is there and still empty would look like a dead holder's: link() makes it appear with its content.
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, identityOf(process.pid) ?? '');
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    removeIfStale(file);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two that see the same dead holder must not both remove the lock: the second would remove the first one's new lock. */
function removeIfStale(file: string): void {
  const holder = readOr(file, undefined);
  if (holder === undefined || stillRuns(holder)) return;
  const marker = `${file}.stale`;
  try {
    closeSync(openSync(marker, 'wx'));
  } catch {
    const { mtimeMs } = statSync(marker, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs !== undefined && Date.now() - mtimeMs > ABANDONED_MS) rmSync(marker, { force: true });
    return;
  }
  if (readOr(file, undefined) === holder) rmSync(file, { force: true });
  rmSync(marker, { force: true });
}
