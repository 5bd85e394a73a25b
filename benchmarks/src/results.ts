import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ENGINES } from './contestant.js';
import type { Section, Summary } from './report.js';
import { WORKS, type Work } from './works.js';

/** Sections of a file; none where there is no file. */
export function readSections(file: string): Section[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { sections: Section[] }).sections : [];
}

export function writeSections(file: string, sections: readonly Section[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ sections }, null, 2)}\n`);
}

/** All that was measured, in the order of engines and works; of the same work on the same engine what was measured last. */
export function merged(sections: readonly Section[]): Section[] {
  const place = ({ engine, work }: Section): number =>
    ENGINES.indexOf(engine) * WORKS.length + WORKS.indexOf(work as Work);
  const byPlace = new Map<number, Section>();
  for (const section of sections) {
    const other = byPlace.get(place(section));
    if (other === undefined || other.at <= section.at) byPlace.set(place(section), section);
  }
  return [...byPlace].sort(([one], [other]) => one - other).map(([, section]) => section);
}

/** Without the figures of single rounds: what tables are made of. */
export const inShort = (sections: readonly Section[]): Section[] =>
  sections.map((section) => ({ ...section, rows: section.rows.map((row): Summary => ({ ...row, rounds: [] })) }));
