import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerName } from './kind.js';
import { BrokerError, runCommand } from './process.js';
import { stateFolder } from './state.js';

const OLDEST_JAVA = 17;
/** dist/src -> the package's root. */
const POMS = fileURLToPath(new URL('../../poms', import.meta.url));

/** Flags that make a JVM start fast and stay small on a developer's machine. */
export const SMALL_JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Throws one sentence when there is no Java that the brokers run on. */
export async function requireJava(title: string): Promise<void> {
  const printed = await runCommand('java', ['-version']).catch(() => {
    throw new BrokerError(`${title} needs a JDK ${OLDEST_JAVA} or newer, and there is no 'java' on the PATH.`);
  });
  const version = Number(/version "(?:1\.)?(\d+)/.exec(printed)?.[1] ?? 0);
  if (version < OLDEST_JAVA)
    throw new BrokerError(
      `${title} needs a JDK ${OLDEST_JAVA} or newer, and 'java' on the PATH is version ${version}.`,
    );
}

/** Class path of a broker's jars, once {@link ensureJars} has been there. */
export const classPath = (name: BrokerName): string => join(stateFolder(), 'jars', name, '*');

/** Downloads a broker's jars if they are not here: once, about a minute. */
export async function ensureJars(name: BrokerName, title: string): Promise<void> {
  const folder = join(stateFolder(), 'jars', name);
  if (!existsSync(folder)) await download(name, title, folder);
}

async function download(name: BrokerName, title: string, folder: string): Promise<void> {
  await runCommand('mvn', ['-version']).catch(() => {
    throw new BrokerError(
      `${title}'s jars are not here yet, and downloading them needs Maven: there is no 'mvn' on the PATH.`,
    );
  });
  console.error(`Downloading ${title}'s jars (about a minute)...`);
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await runCommand('mvn', [
      '-q',
      '-B',
      '-f',
      join(POMS, name, 'pom.xml'),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
    ]);
    // Complete or not there at all: an interrupted download must not look like jars.
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
