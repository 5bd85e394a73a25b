import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How many there are of what can leak, by name. */
export type Counts = Readonly<Record<string, number>>;

/** How long what was closed may take to be gone. */
const GONE_MS = 15_000;
const LOOK_MS = 50;
const DESCRIPTORS = '/proc/self/fd';

/** What this process holds now: sockets, timers and the like, file descriptors where the system tells them, listeners. */
export function ownCounts(): Counts {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  for (const event of process.eventNames())
    counts[`listeners of process '${String(event)}'`] = process.listenerCount(event);
  const descriptors = numberOfDescriptors();
  return descriptors === undefined ? counts : { ...counts, 'file descriptors': descriptors };
}

function numberOfDescriptors(): number | undefined {
  try {
    return readdirSync(DESCRIPTORS).length;
  } catch {
    return undefined;
  }
}

/** Bytes of the heap that are in use, after what nobody needs was collected. */
export function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** The same with what buffers hold outside of the heap. */
export function memoryInUse(): number {
  // What buffers held is given back beside the program, and counted as given back when the next collection begins.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** What there is more of than before, as a sentence each. Less is no leak. */
export function grown(before: Counts, after: Counts): string[] {
  return Object.entries(after)
    .filter(([name, count]) => count > (before[name] ?? 0))
    .map(([name, count]) => `${name}: ${before[name] ?? 0} before, ${count} after`);
}

/** Looks until there is no more than before, or it is too late for that: what is left, as {@link grown} says it. */
export async function leftOver(before: Counts, now: () => Counts | Promise<Counts>): Promise<string[]> {
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const left = grown(before, await now());
    if (left.length === 0 || performance.now() > deadline) return left;
    await wait(LOOK_MS);
  }
}
