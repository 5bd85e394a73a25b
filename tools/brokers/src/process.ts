import { execFile, spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { BrokerError } from './errors.js';

const POLL_MS = 150;

/** Starts a process that outlives this one, its output at the end of `log`. Returns its pid, 0 when it cannot be started. */
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
    if (child.pid === undefined) appendFileSync(options.log, `There is no program '${command}' that can be started.\n`);
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
}

/** There is a process with this pid, whoever's. */
export function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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

/** Runs a command to its end: what it printed. Rejects with one sentence that holds the first error it printed. */
export function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(`${stdout}${stderr}`);
      const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
      // Maven prints what is wrong first, and then a page about how to get help.
      const cause = lines.find((line) => /\bERROR\b|Exception/.test(line)) ?? lines.at(-1) ?? error.message;
      reject(new BrokerError(`'${command}' failed: ${cause.trim()}`, { cause: error }));
    });
  });
}

/** Asks `holds` until it is true, at most `timeoutMs`. False when time is over, or as soon as `dead` is true. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  dead: () => boolean = () => false,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  do {
    if (await holds()) return true;
    if (dead()) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  } while (performance.now() < deadline);
  return false;
}
