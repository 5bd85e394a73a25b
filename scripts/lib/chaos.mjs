import { row as lineOf } from './generated.mjs';

const SHOWN = 3;
const HEAD = [
  'engine',
  'scenario',
  'verdict',
  'sent',
  'lost',
  'duplicates (allowed)',
  'order breaks',
  'overlaps',
].concat(['unsure', 'sends resume', 'handling resumes', 'seconds']);

/** A scenario that did not come to its end proves nothing, whatever its history says so far. */
export const verdictOf = ({ verdict, error }) =>
  error !== undefined && verdict.verdict === 'pass' ? 'unknown' : verdict.verdict;

export const passed = (row) => verdictOf(row) === 'pass';

/** Rows as the lines of an aligned Markdown table: for terminals and for the documentation. */
export function tableOf(rows) {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const [head, ...body] = cells.map((row) => lineOf(row.map((cell, i) => cell.padEnd(widths[i]))));
  return [head, lineOf(widths.map((width) => '-'.repeat(width))), ...body];
}

function cellsOf(row) {
  const { sent, lost, duplicates, allowed, orderBreaks, overlaps, unsure, resumeSendMs, resumeHandleMs } =
    row.verdict.figures;
  const counts = [sent, lost, `${duplicates} (${allowed})`, orderBreaks, overlaps, unsure];
  const times = [ms(resumeSendMs), ms(resumeHandleMs), row.seconds];
  return [row.target, row.title, verdictOf(row), ...counts, ...times].map(String);
}

const ms = (value) => (value < 0 ? '-' : `${(value / 1000).toFixed(2)} s`);

/** What is wrong with a row, in a few lines. */
export function problems(row) {
  const lines = row.verdict.checks.flatMap(({ name, unknown, violations }) => [
    ...(unknown === undefined ? [] : [`${name}: cannot tell: ${unknown}`]),
    ...violations.slice(0, SHOWN).map(({ what }) => `${name}: ${what}`),
    ...(violations.length > SHOWN ? [`${name}: and ${violations.length - SHOWN} more`] : []),
  ]);
  if (row.error !== undefined) lines.unshift(`did not end: ${row.error.message}`, ...(row.lastWords ?? []));
  return `${row.target} ${row.scenario}: ${verdictOf(row)}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
