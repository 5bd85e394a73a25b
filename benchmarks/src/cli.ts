#!/usr/bin/env node
import { join, resolve } from 'node:path';
import { ensureBroker } from '@anymq/brokers';
import { Command, InvalidArgumentError } from 'commander';
import { benchOf } from './bench.js';
import { ENGINES, type Engine, type Place } from './contestant.js';
import { originOf } from './origin.js';
import { type Section, sectionOf, textOf } from './report.js';
import { merged, readSections, writeSections } from './results.js';
import { runContest } from './runner.js';
import { WORKS, type Work } from './works.js';

const root = join(import.meta.dirname, '..', '..', '..');

interface Options {
  readonly on: readonly Engine[];
  readonly work: readonly Work[];
  readonly rounds: number;
  readonly json: string;
  readonly profile?: string;
}

const listOf =
  <Name extends string>(known: readonly Name[]) =>
  (text: string): readonly Name[] =>
    text.split(',').map((name) => {
      if ((known as readonly string[]).includes(name)) return name as Name;
      throw new InvalidArgumentError(`There are: ${known.join(', ')}.`);
    });

function positive(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
}

await new Command('bench')
  .description(
    'Compares AnyMQ with the raw clients: tuned by hand, and used in the obvious way. Same work, same durability.',
  )
  .option(
    '--on <engines>',
    'where, separated by commas; brokers are started where they do not run',
    listOf(ENGINES),
    ENGINES,
  )
  .option('--work <works>', 'what, separated by commas', listOf(WORKS), WORKS)
  .option('--rounds <count>', 'how often each contestant is measured', positive, 5)
  .option(
    '--json <file>',
    'where all figures go; what it has of other engines and works is kept',
    join(root, '.results', 'bench', 'bench.json'),
  )
  .option('--profile <folder>', 'write a processor profile of every measurement there')
  .allowExcessArguments(false)
  .action(main)
  .parseAsync();

async function main(options: Options): Promise<void> {
  const sections: Section[] = [];
  for (const engine of options.on) sections.push(...(await benchAll(engine, options)));
  console.log(textOf(sections));
  const said = new Set<string>();
  for (const { engine, durability, rows } of sections) {
    said.add(`${engine}: confirmed means ${durability}, for every contestant.`);
    for (const row of rows) said.add(`${engine}, ${row.contestant}: ${row.about}.`);
  }
  console.log(`\n${[...said].join('\n')}\n\nAll figures: ${options.json}`);
}

async function benchAll(engine: Engine, { work, rounds, profile, json }: Options): Promise<Section[]> {
  const { contests, durability } = await benchOf(engine);
  const wanted = contests.filter((contest) => work.includes(contest.work));
  if (wanted.length === 0) return [];
  const connection: Place['connection'] = engine === 'memory' ? {} : (await ensureBroker(engine)).connection;
  const sections: Section[] = [];
  const profiles = profile === undefined ? undefined : resolve(profile);
  const note = (line: string): void => console.error(line);
  for (const contest of wanted) {
    const entries = await runContest({ engine, connection, contest, rounds, profiles, note });
    const section = sectionOf(engine, contest, durability, entries, originOf(root));
    sections.push(section);
    // At once: a run of everything takes long, and may be made in parts, each of which is one run by itself.
    writeSections(json, merged([...readSections(json), section]));
  }
  return sections;
}
