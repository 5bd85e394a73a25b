import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafka } from '../../src/kafka.js';
import type { Kind, Place, Program } from '../../src/kind.js';
import type { Ports } from '../../src/ports.js';

/** Code of a program that does nothing for longer than a test. */
export const SLEEP = 'setTimeout(() => {}, 60_000)';

/** A folder of its own for a test file. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'anymq-brokers-'));

export const placeOf = (folder: string, ports: Ports = {}): Place => ({ folder, jars: join(folder, 'jars'), ports });

/** A Node program whose command line holds its place's folder. */
export const nodeProgram = (place: Place, code: string): Program => ({
  name: 'broker',
  command: process.execPath,
  args: ['-e', code, place.folder],
});

/** A kind that needs nothing: its program is a sleeping Node. */
export function sleeper(parts: Partial<Kind> = {}): Kind {
  return {
    ...kafka,
    title: 'Sleeper',
    requirements: async () => {},
    prepare: async () => {},
    warmUp: async () => true,
    answers: async () => true,
    programs: (place) => [nodeProgram(place, SLEEP)],
    ...parts,
  };
}
