import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The contract's results on one engine, or undefined when it did not run. */
export function contractResult(folder, engine) {
  const file = join(folder, `contract-${engine}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Which cases failed, with the first line of why. */
export function failedCases(folder, engine) {
  const failed = (contractResult(folder, engine)?.cases ?? []).filter(({ status }) => status === 'failed');
  return failed.map(
    ({ id, durationMs, error }) =>
      `${engine} ${id} (${Math.round(durationMs)} ms): ${String(error).split('\n')[0].slice(0, 500)}`,
  );
}

/** A line per engine: cases passed, failed, skipped and why. */
export function summary(engines, resultOf) {
  return engines.map((engine) => `${engine.name.padEnd(9)} ${lineOf(engine, resultOf(engine.name))}`).join('\n');
}

function lineOf({ missing, demo }, result) {
  if (missing !== undefined) return `SKIPPED: ${missing}`;
  if (result === undefined) return 'FAILED: the contract did not run';
  const count = (status) => result.cases.filter((one) => one.status === status).length;
  const reasons = [
    ...new Set(result.cases.filter(({ status }) => status === 'skipped').map(({ id, reason }) => `${id}: ${reason}`)),
  ];
  const skipped = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  const failed = result.cases.filter(({ status }) => status === 'failed').map(({ id }) => id);
  const names = failed.length === 0 ? '' : ` (${failed.join(', ')})`;
  return `${count('passed')} passed, ${failed.length} failed${names}, ${count('skipped')} skipped${skipped}; demo ${demo?.ok ? 'ok' : 'FAILED'}`;
}
