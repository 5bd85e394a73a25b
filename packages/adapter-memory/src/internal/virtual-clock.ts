import type { Clock, Timer } from '@anymq/core/adapter';

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Timers that have neither fired nor been cancelled. 0 after everything was closed. */
  readonly timers: number;
  /** Moves time by `ms`, running due timers in order, each at its own time. */
  advance(ms: number): void;
  /** The same, and lets all promises and the engine's tasks settle before, between and after timers. */
  advanceAsync(ms: number): Promise<void>;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A clock for tests: nothing happens until `advance`.
 *
 * @param startMs wall time at the beginning, milliseconds since the Unix epoch. @default 2026-01-01T00:00:00Z
 */
export function virtualClock(startMs = 1_767_225_600_000): VirtualClock {
  const timers = new Set<Entry>();
  let elapsed = 0;
  let created = 0;

  const fireNext = (until: number): boolean => {
    const due = earliest(timers);
    if (due === undefined || due.at > until) return false;
    timers.delete(due);
    elapsed = Math.max(elapsed, due.at);
    due.run();
    return true;
  };

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    setTimer(delayMs, run): Timer {
      const entry = { at: elapsed + Math.max(0, delayMs), order: created++, run };
      timers.add(entry);
      return { cancel: () => void timers.delete(entry) };
    },
    get timers() {
      return timers.size;
    },
    advance(ms) {
      const until = elapsed + ms;
      while (fireNext(until));
      elapsed = until;
    },
    async advanceAsync(ms) {
      const until = elapsed + ms;
      await settled();
      while (fireNext(until)) await settled();
      elapsed = until;
      await settled();
    },
  };
}

function earliest(timers: ReadonlySet<Entry>): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of timers) {
    if (first === undefined || entry.at < first.at || (entry.at === first.at && entry.order < first.order))
      first = entry;
  }
  return first;
}

/** All promises that can settle without time have, and so have tasks that waited for the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
