import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readOr } from './state.js';

/**
 * A process for longer than its pid lasts: the pid and when it started. Undefined when there is no such process. Pids are
 * used again, so a pid alone in a file may be a stranger's.
 */
export function identityOf(pid: number): string | undefined {
  const started = existsSync('/proc/self') ? startTick(pid) : ps(pid, 'lstart=');
  return started === undefined ? undefined : `${pid} ${started}`;
}

/** The process of this identity still runs. */
export const stillRuns = (identity: string): boolean => identityOf(Number.parseInt(identity, 10)) === identity;

/** The process with this pid runs and is ours: `mark` stands in its command line. */
export function isOurs(pid: number, mark: string): boolean {
  if (!(pid > 0)) return false;
  const line = existsSync('/proc/self') ? readOr(`/proc/${pid}/cmdline`, '') : ps(pid, 'command=');
  return line?.includes(mark) ?? false;
}

function startTick(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, undefined);
  // The program's name stands in brackets and may hold spaces and brackets.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' ? undefined : fields[18];
}

/** For systems without /proc. */
function ps(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-ww', '-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
