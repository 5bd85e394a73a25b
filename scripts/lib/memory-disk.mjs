import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { freemem } from 'node:os';
import { basename, join } from 'node:path';
import { BROKER_NAMES } from '../../tools/brokers/dist/src/kind.js';
import { privateFolder, sharedFolder, stateFolder } from '../../tools/brokers/dist/src/state.js';

/** Linux keeps here what programs share in memory. */
const MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
/** All brokers of a run have written 0.4 GiB at once, at most. */
const ROOM_BYTES = 3 * 1024 ** 3;
/**
 * Brokers that are started from now on keep their data in memory, where there is room: what a slow disk adds to every confirmation is
 * no property of AnyMQ. What a broker has written survives its own death there as on a disk. Folders that exist stay as they are.
 * Returns what undoes it, for when all of them are down.
 */
export function dataInMemory() {
  const state = stateFolder();
  if (!hasRoom()) return () => {};
  const memory = join(MEMORY, `anymq-${createHash('sha1').update(state).digest('hex').slice(0, 8)}`);
  const inMemory = (folder) => join(memory, basename(folder));
  // The jars stay where they are: they are to be found again.
  const moved = [privateFolder(state), ...BROKER_NAMES.map((name) => sharedFolder(state, name))].filter(isFree);
  mkdirSync(state, { recursive: true });
  for (const folder of moved) link(folder, inMemory(folder));
  return () => {
    for (const folder of moved) rmSync(folder, { force: true });
    for (const folder of moved) rmSync(inMemory(folder), { recursive: true, force: true });
    if (existsSync(memory) && readdirSync(memory).length === 0) rmdirSync(memory);
  };
}

/** Nothing is there, or what a run that was killed has left. */
function isFree(folder) {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found === undefined || found.isSymbolicLink();
}

function link(folder, target) {
  mkdirSync(target, { recursive: true });
  rmSync(folder, { force: true });
  symlinkSync(target, folder);
}

function hasRoom() {
  if (!existsSync(MEMORY)) return false;
  const { type, bavail, bsize } = statfsSync(MEMORY);
  return type === TMPFS && bavail * bsize > ROOM_BYTES && freemem() > ROOM_BYTES;
}
