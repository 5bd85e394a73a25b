import { CliError, EXIT } from './errors.js';
import { type Io, note } from './io.js';
import { progressOf } from './progress.js';
import type { SelectionFlags } from './selection.js';

interface Stopping {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Work on letters that shows how far it is, and that Ctrl-C stops between two of them. `done` is what happens to each. */
export async function stoppable<T>(io: Io, done: string, run: (stopping: Stopping) => Promise<T>): Promise<T> {
  const progress = progressOf(io, done);
  let reached = { done: 0, total: 0 };
  const onProgress: Stopping['onProgress'] = (now) => {
    reached = now;
    progress.update(now.done, now.total);
  };
  try {
    return await run({ signal: io.interrupted, onProgress });
  } catch (error) {
    throw io.interrupted.aborted ? stopped(io.interrupted.reason, reached, done) : error;
  } finally {
    progress.stop();
  }
}

/** How far the work had come. */
function stopped(reason: unknown, reached: { readonly done: number; readonly total: number }, done: string): unknown {
  if (!(reason instanceof CliError && reason.exitCode === EXIT.interrupted)) return reason;
  const of = reached.total === 0 ? '' : ` of ${reached.total}`;
  return new CliError(EXIT.interrupted, `Interrupted: ${reached.done}${of} letters were ${done}, the rest stays.`);
}

/** Some of the ids that were asked for are not there: said, but no failure. */
export function noteMissing(io: Io, { id, where, limit }: SelectionFlags, found: number): void {
  if (id === undefined || where !== undefined || limit !== undefined) return;
  const missing = new Set(id).size - found;
  if (missing > 0) note(io, `Of the ids ${missing} ${missing === 1 ? 'is' : 'are'} not there.`);
}
