import { inspect } from 'node:util';
import { type ContractCase, LAWS } from './case.js';
import type { Certificate } from './certificate.js';
import type { CaseResult } from './runner.js';

const SIGN = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

/** One case as a line; a failure with what went wrong below it. */
export function lineOf({ id, law, title, status, durationMs, reason, error }: CaseResult): string {
  const time = status === 'skipped' ? '' : ` (${durationMs} ms)`;
  const why = reason === undefined ? '' : `\n       ${reason}`;
  const wrong = error === undefined ? '' : `\n${inspect(error).replace(/^/gm, '       ')}`;
  return `${SIGN[status]} law ${law} ${id}: ${title}${time}${why}${wrong}`;
}

/** Cases by law, with the capabilities that each needs. */
export function listOf(cases: readonly ContractCase[]): string {
  return [...new Set(cases.map(({ law }) => law))]
    .map((law) => {
      const lines = cases
        .filter((one) => one.law === law)
        .map(
          ({ id, title, needs }) => `  ${id.padEnd(5)} ${title}${needs.length > 0 ? `  [${needs.join(', ')}]` : ''}`,
        );
      return [`law ${law}: ${LAWS[law]}`, ...lines].join('\n');
    })
    .join('\n\n');
}

/** A certificate for people: law by law, then what it says altogether. */
export function summaryOf({ target, about, date, seed, laws, cases, kept }: Certificate): string {
  const { node, ...rest } = about;
  const made = [...Object.values(rest), `Node ${node}`].join(', ');
  const rows = laws.map(({ law, title, passed, failed, skipped }) => {
    const parts = [`${passed} passed`, failed > 0 ? `${failed} FAILED` : '', skipped > 0 ? `${skipped} skipped` : ''];
    return `law ${String(law).padStart(2)} ${title.padEnd(24)} ${parts.filter(Boolean).join(', ')}`;
  });
  const failed = cases.filter(({ status }) => status === 'failed').map(({ id }) => id);
  return ['', ...rows, '', `${target}: ${made}; ${date}, seed ${seed}`, verdictOf(failed, kept)].join('\n');
}

function verdictOf(failed: readonly string[], kept: boolean): string {
  if (failed.length > 0) return `The contract is NOT kept: ${failed.join(', ')}.`;
  return kept ? 'The contract is kept.' : 'What ran is kept; not every case ran.';
}
