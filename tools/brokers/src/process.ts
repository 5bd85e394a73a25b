import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A sentence for the person at the terminal; shown without a stack. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
}

/** Starts a process that outlives this one, its output in `log`. Returns its pid. */
export function startDetached(
  command: string,
  args: readonly string[],
  options: { readonly log: string; readonly env?: Readonly<Record<string, string>>; readonly cwd: string },
): number {
  const log = openSync(options.log, 'a');
  try {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', () => {});
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
}

/**
 * The process with this pid runs and is ours: its command line holds `mark`. Pids are used again after a restart of the
 * machine; without the mark a stale pid file could end a stranger.
 */
export function isOurs(pid: number, mark: string): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark) &&
      !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    );
  } catch {
    return false;
  }
}

/** There is a process with this pid, whoever's. */
export function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Sends a signal; a process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Runs a command to its end. Rejects with what it printed to standard error. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { ...options, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else
        reject(
          new BrokerError(
            `${command} failed: ${(stderr || stdout || error.message).trim().split('\n').slice(-3).join(' ')}`,
            { cause: error },
          ),
        );
    });
  });
}

/** Asks `holds` until it is true, at most `timeoutMs`. False when time is over, or as soon as `dead` is true. */
export async function until(
  holds: () => Promise<boolean>,
  timeoutMs: number,
  dead: () => boolean = () => false,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await holds()) return true;
    if (dead()) return false;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return false;
}
