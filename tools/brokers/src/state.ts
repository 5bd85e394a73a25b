import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Jars, configurations, data, logs and pids, absolute: `dir`, else `$ANYMQ_TEST_BROKERS_DIR`, else `.brokers` in the
 * repository. (`ANYMQ_BROKERS_...` configures brokers of an application, see core's environment.ts.)
 */
export function stateFolder(dir = process.env.ANYMQ_TEST_BROKERS_DIR): string {
  return dir ? resolve(dir) : fileURLToPath(new URL('../../../../.brokers', import.meta.url));
}

/** Folder of the shared broker of a kind. */
export const sharedFolder = (state: string, name: string): string => join(state, name);

/** Folder of all private brokers, one below for each. */
export const privateFolder = (state: string): string => join(state, 'private');

/** Folder of the jars of all kinds. */
export const jarsFolder = (state: string): string => join(state, 'jars');

/** Content of a file, or `fallback` when it cannot be read. */
export function readOr<T>(file: string, fallback: T): string | T {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

/** A test run puts links to folders in memory here; when it was killed, and the machine started anew since, they lead nowhere. */
export function removeDeadLink(folder: string): void {
  if (!existsSync(folder)) rmSync(folder, { force: true });
}
