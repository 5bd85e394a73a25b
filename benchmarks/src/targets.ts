import { ENGINES } from './contestant.js';
import type { Section, Summary } from './report.js';

interface Target {
  readonly is: (section: Section, row: Summary) => boolean;
  readonly text: string;
  readonly value: (row: Summary) => number;
  readonly reached: (value: number) => boolean;
  readonly digits: number;
}

const on =
  (engine: string, work: string, contestant?: string) =>
  (section: Section, row: Summary): boolean =>
    section.engine === engine &&
    section.work === work &&
    row.contestant.startsWith('AnyMQ') &&
    (contestant === undefined || row.contestant === contestant);

const ratio = (is: Target['is'], least: number): Target => ({
  is,
  text: `ratio >= ${least}`,
  value: (row) => row.ratio.median,
  reached: (value) => value >= least,
  digits: 2,
});

const most = (is: Target['is'], what: string, limit: number, unit: string, value: Target['value']): Target => ({
  is,
  text: `${what} <= ${limit} ${unit}`,
  value,
  reached: (found) => found <= limit,
  digits: 1,
});

/** Nothing comes early, and nothing later than the engine declares. */
const punctual = (is: Target['is'], toleranceMs: number): Target => ({
  is,
  text: `0 to ${toleranceMs} ms late`,
  value: ({ deviation: { earliest, worst } = { earliest: Number.NaN, worst: Number.NaN } }) =>
    earliest < 0 ? earliest : worst,
  reached: (furthest) => furthest >= 0 && furthest <= toleranceMs,
  digits: 0,
});

const p50 = (engine: string, limit: number): Target =>
  most(on(engine, 'latency'), 'p50', limit, 'ms', (row) => row.p50Ms?.median ?? Number.NaN);

/** What is to be reached, on any machine: ratios within one run, and times that a busy machine spoils. Shown, never asserted. */
const TARGETS: readonly Target[] = [
  ratio(on('kafka', 'send'), 0.8),
  ratio(on('kafka', 'consume'), 0.8),
  ratio(on('rabbitmq', 'send', "AnyMQ, history 'none'"), 0.8),
  ratio(on('rabbitmq', 'send', 'AnyMQ'), 0.65),
  ratio(on('rabbitmq', 'consume'), 0.8),
  ratio(on('rocketmq', 'send'), 0.95),
  ratio(on('rocketmq', 'consume'), 2),
  {
    is: on('kafka', 'slow'),
    text: 'ratio >= 15',
    value: (row) => row.ratio.median,
    reached: (value) => value >= 15,
    digits: 1,
  },
  ...['memory', 'kafka', 'rabbitmq'].map((engine) =>
    most(
      on(engine, 'poison', 'AnyMQ, one key poison'),
      'p99 of good keys',
      1.5,
      'x',
      (row) => row.p99Ratio?.median ?? Number.NaN,
    ),
  ),
  ...ENGINES.flatMap((engine) => [
    ratio(on(engine, 'retry', 'AnyMQ, each fails once'), 0.33),
    punctual(on(engine, 'delay'), engine === 'rocketmq' ? 1_500 : 1_000),
  ]),
  most(on('memory', 'cost'), 'own cost', 3, 'us', (row) => row.ownMicros?.median ?? Number.NaN),
  p50('rabbitmq', 3),
  p50('kafka', 5),
  p50('rocketmq', 10),
  most(
    (section, row) => section.work === 'backlog' && row.contestant.startsWith('AnyMQ'),
    'peak',
    300,
    'MB',
    (row) => row.peakMb?.median ?? Number.NaN,
  ),
];

/** The row's target and whether it is reached; empty where there is none. */
export function targetOf(section: Section, row: Summary): string {
  const target = TARGETS.find(({ is }) => is(section, row));
  if (target === undefined) return '';
  const value = target.value(row);
  return `${target.text}: ${target.reached(value) ? 'reached' : 'missed'} (${value.toFixed(target.digits)})`;
}
