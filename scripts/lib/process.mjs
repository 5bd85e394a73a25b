import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
const running = new Set();

/**
 * Runs a command in the root folder, its output passed through (to standard error with `quiet`, so that a task's own
 * standard output stays clean). Resolves with its exit code. With `interactive` the child handles Ctrl-C itself.
 */
export function run(command, args, { env = {}, quiet = false, interactive = false, cwd = root } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['inherit', quiet ? 2 : 'inherit', 'inherit'],
  });
  return exitOf(child, interactive);
}

/** Runs a command and resolves with its exit code and everything it printed. */
export async function capture(command, args, { env = {}, cwd = root } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      output[stream] += text;
    });
  }
  return { code: await exitOf(child), ...output };
}

/** Formats files that a script has written, as the lint wants them. */
export async function format(files) {
  if (files.length > 0) await capture('npx', ['biome', 'format', '--write', ...files]);
}

/** Ends at once what {@link run} and {@link capture} have started and what has not ended; the programs' names and arguments. */
export function killAll() {
  return [...running].map((child) => {
    child.kill('SIGKILL');
    return child.spawnargs.join(' ');
  });
}

function exitOf(child, interactive = false) {
  running.add(child);
  child.once('exit', () => running.delete(child)).once('error', () => running.delete(child));
  const ignore = () => {};
  // The terminal sends Ctrl-C to the whole group: the child ends in its own way, this process waits for it.
  if (interactive)
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.on(signal, signal === 'SIGTERM' ? () => child.kill(signal) : ignore);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`Cannot run ${child.spawnfile}: ${error.message}.`);
      resolve(1);
    });
    child.on('close', (code, signal) => resolve(signal === null ? code : 1));
  });
}
