import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LeakReport, LeakSettings } from './worker.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** How a process came out. */
export interface LeakRun {
  /** Null: it had to be killed. */
  readonly code: number | null;
  readonly stderr: string;
  /** Undefined: it did not get so far. */
  readonly report: LeakReport | undefined;
  /** From its report, which is its last act, until it was gone, milliseconds. */
  readonly endedAfterMs: number;
}

/** Runs a worker to its end. `signal` kills it. */
export async function runLeakWorker(settings: LeakSettings, signal: AbortSignal): Promise<LeakRun> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(settings)], {
    // Nothing of how this process was started: a debugger or a loader would speak on stderr.
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let [stdout, stderr, reported] = ['', '', performance.now()];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    reported = performance.now();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', kill);
  const endedAfterMs = Math.round(performance.now() - reported);
  return { code, stderr, report: stdout === '' ? undefined : JSON.parse(stdout), endedAfterMs };
}
