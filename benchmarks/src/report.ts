import Table from 'cli-table3';
import type { Contest } from './bench.js';
import type { Engine } from './contestant.js';
import type { Figures } from './meter.js';
import type { Origin } from './origin.js';
import type { Entry } from './runner.js';
import { targetOf } from './targets.js';

/** The rounds of one contestant, in short. */
export interface Summary {
  readonly contestant: string;
  readonly about: string;
  readonly perSecond: Spread;
  /** Processor time of the measuring process for one message, microseconds. */
  readonly cpuMicros: Spread;
  /** Rate divided by that of the first contestant in the same round. */
  readonly ratio: Spread;
  /** Above what was measured beside it, microseconds a message: of time, and of processor time. */
  readonly ownMicros?: Spread;
  readonly ownCpuMicros?: Spread;
  /** What was measured beside it takes, microseconds a message. */
  readonly besideMicros?: Spread;
  readonly p50Ms?: Spread;
  readonly p99Ms?: Spread;
  /** p99 divided by that of the first contestant in the same round. */
  readonly p99Ratio?: Spread;
  readonly peakMb?: Spread;
  /** Of delayed messages, milliseconds after their due time: the earliest and the latest of all rounds. */
  readonly deviation?: {
    readonly earliest: number;
    readonly p50: Spread;
    readonly p99: Spread;
    readonly worst: number;
  };
  readonly rounds: readonly Figures[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One work on one engine. */
export interface Section extends Origin {
  readonly engine: Engine;
  readonly work: string;
  readonly title: string;
  readonly durability: string;
  readonly rounds: number;
  readonly rows: readonly Summary[];
}

export function sectionOf(
  engine: Engine,
  contest: Contest,
  durability: string,
  entries: readonly Entry[],
  origin: Origin,
): Section {
  const base = entries[0]?.rounds ?? [];
  const rows = entries.map((entry) => summaryOf(entry, base));
  const title = contest.title ?? contest.work;
  return { engine, work: contest.work, title, durability, ...origin, rounds: base.length, rows };
}

const rate = ({ messages, seconds }: Figures): number => messages / seconds;

type Optional = 'ownMicros' | 'ownCpuMicros' | 'besideMicros' | 'p50Ms' | 'p99Ms' | 'p99Ratio' | 'peakMb';

function summaryOf({ contestant, about, rounds }: Entry, base: readonly Figures[]): Summary {
  const against = (each: (own: Figures, first: Figures) => number): Spread =>
    spread(rounds.map((own, round) => each(own, base[round] as Figures)));
  const optional = (name: Optional, value: (figures: Figures, round: number) => number | undefined) => {
    const values = rounds.map(value).filter((each) => each !== undefined);
    return values.length === 0 ? {} : { [name]: spread(values) };
  };
  return {
    contestant,
    about,
    perSecond: spread(rounds.map(rate)),
    cpuMicros: spread(rounds.map(({ cpuMicros }) => cpuMicros)),
    ratio: against((own, first) => rate(own) / rate(first)),
    ...optional('ownMicros', ({ own }) => own?.micros),
    ...optional('ownCpuMicros', ({ own }) => own?.cpuMicros),
    ...optional('besideMicros', ({ own }) => own?.besideMicros),
    ...optional('p50Ms', ({ latency }) => latency?.p50),
    ...optional('p99Ms', ({ latency }) => latency?.p99),
    ...optional('p99Ratio', ({ latency }, round) => latency && latency.p99 / (base[round]?.latency?.p99 ?? Number.NaN)),
    ...optional('peakMb', ({ peakMb }) => peakMb),
    ...deviationOf(rounds),
    rounds,
  };
}

function deviationOf(rounds: readonly Figures[]): Pick<Summary, 'deviation'> {
  const all = rounds.flatMap(({ deviation }) => deviation ?? []);
  if (all.length === 0) return {};
  return {
    deviation: {
      earliest: Math.min(...all.map(({ earliest }) => earliest)),
      p50: spread(all.map(({ p50 }) => p50)),
      p99: spread(all.map(({ p99 }) => p99)),
      worst: Math.max(...all.map(({ worst }) => worst)),
    },
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

/** The columns of all tables. */
export const HEAD = [
  'engine',
  'work',
  'contestant',
  'median (min-max)',
  'CPU us/msg',
  'ratio (min-max)',
  'rounds',
  'target',
  'measured',
];

/** The rows of all tables. */
export function cellsOf(sections: readonly Section[]): string[][] {
  return sections.flatMap((section) =>
    section.rows.map((row) => [
      section.engine,
      section.title,
      row.contestant,
      figureOf(section, row),
      row.cpuMicros.median.toFixed(1),
      ratioOf(section, row),
      String(section.rounds),
      targetOf(section, row),
      `${section.at.slice(0, 10)} ${section.commit}`,
    ]),
  );
}

/** Of what the work is about: rates, or how long the slowest wait. */
function ratioOf({ work, rows }: Section, row: Summary): string {
  if (work === 'cost') return '';
  const base = rows[0];
  if (base === undefined || row === base) return '1';
  if (work === 'poison' && row.p99Ratio !== undefined) return `p99 ${shown(row.p99Ratio, 2)}`;
  return shown(row.ratio, 2);
}

/** What the work is about. */
function figureOf({ work }: Section, row: Summary): string {
  if ((work === 'latency' || work === 'poison') && row.p50Ms !== undefined && row.p99Ms !== undefined)
    return `p50 ${shown(row.p50Ms, 2)} ms, p99 ${row.p99Ms.median.toFixed(1)} ms`;
  if (row.ownMicros !== undefined && row.ownCpuMicros !== undefined && row.besideMicros !== undefined)
    return `${shown(row.ownMicros, 1)} us above ${row.besideMicros.median.toFixed(1)}, CPU ${shown(row.ownCpuMicros, 1)}`;
  if (work === 'backlog' && row.peakMb !== undefined)
    return `peak ${shown(row.peakMb, 0)} MB, ${Math.round(row.perSecond.median)}/s`;
  if (row.deviation !== undefined) {
    const { earliest, p50, p99, worst } = row.deviation;
    const early = earliest < 0 ? `EARLY by ${-earliest} ms` : 'never early';
    return `late p50 ${shown(p50, 0)} ms, p99 ${shown(p99, 0)} ms, worst ${worst} ms, ${early}`;
  }
  return `${shown(row.perSecond, 0)} /s`;
}

function shown({ median, min, max }: Spread, digits: number): string {
  const [a, b, c] = [median, min, max].map((value) => value.toFixed(digits));
  return min === max ? (a as string) : `${a} (${b}-${c})`;
}

export function textOf(sections: readonly Section[]): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [] } });
  table.push(...cellsOf(sections));
  return table.toString();
}
