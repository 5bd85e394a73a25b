import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MissingTool } from './errors.js';
import type { BrokerName, Place } from './kind.js';
import { locked } from './lock.js';
import { runCommand } from './process.js';

/** dist/src -> the package's root. */
const POMS = fileURLToPath(new URL('../../poms', import.meta.url));
const PROGRESS_MS = 10_000;

const pomOf = (name: BrokerName): string => join(POMS, name, 'pom.xml');

/** Folder of a broker's jars. Another pom is another folder, so that a new version is fetched and old ones run on. */
function folderOf({ jars }: Place, name: BrokerName): string {
  const version = createHash('sha256')
    .update(readFileSync(pomOf(name)))
    .digest('hex')
    .slice(0, 8);
  return join(jars, `${name}-${version}`);
}

/** Class path of a broker's jars, once {@link ensureJars} has been there. */
export const classPath = (place: Place, name: BrokerName): string => join(folderOf(place, name), '*');

/** The version in the name of one of a broker's jars: `kafka_2.13-4.1.0.jar`. */
export function jarVersion(place: Place, name: BrokerName, artifact: string): string {
  const jar = readdirSync(folderOf(place, name)).find((file) => file.startsWith(`${artifact}-`));
  return jar?.slice(artifact.length + 1, -'.jar'.length) ?? 'unknown';
}

/** Throws one sentence when the jars are not here and cannot be downloaded. */
export async function requireJars(place: Place, name: BrokerName, title: string): Promise<void> {
  if (existsSync(folderOf(place, name))) return;
  await runCommand('mvn', ['-version']).catch(() => {
    throw new MissingTool(
      `${title}'s jars are not here yet, and downloading them needs Maven: there is no 'mvn' on the PATH that runs.`,
    );
  });
}

/** Downloads a broker's jars if they are not here: once, about a minute. */
export async function ensureJars(place: Place, name: BrokerName, title: string): Promise<void> {
  const folder = folderOf(place, name);
  if (existsSync(folder)) return;
  // One lock for all kinds: two Mavens must not write one local repository at a time.
  await locked(place.jars, 'download', async () => {
    if (!existsSync(folder)) await withProgress(`Downloading ${title}'s jars`, () => download(pomOf(name), folder));
  });
}

async function download(pom: string, folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await runCommand('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`]);
  // Complete or not there at all: an interrupted download must not look like jars.
  renameSync(partial, folder);
}

async function withProgress(what: string, work: () => Promise<void>): Promise<void> {
  const since = performance.now();
  const say = (): unknown =>
    process.stderr.write(`${what} (about a minute, once): ${Math.round((performance.now() - since) / 1_000)} s\n`);
  say();
  const timer = setInterval(say, PROGRESS_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}
