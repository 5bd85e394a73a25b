import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, until } from './process.js';

/** Jars, configurations, data, logs and pids: `$ANYMQ_TEST_BROKERS_DIR`, or `.brokers` in the repository. */
export function stateFolder(): string {
  return process.env.ANYMQ_TEST_BROKERS_DIR ?? fileURLToPath(new URL('../../../../.brokers', import.meta.url));
}

/** Folder of the shared broker of a kind. */
export const sharedFolder = (name: string): string => join(stateFolder(), name);

/** Folder of all private brokers, one below for each. */
export const privateFolder = (): string => join(stateFolder(), 'private');

/** Runs `work` while no other process holds the lock of this name. A lock whose holder is gone is nobody's. */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(stateFolder(), { recursive: true });
  const file = join(stateFolder(), `${name}.lock`);
  await until(async () => take(file), 300_000);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch {
    if (!isAlive(Number(readOr(file, '0')))) rmSync(file, { force: true });
    return false;
  }
}

/** Content of a file, or `fallback` when it cannot be read. */
export function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}
