import type { Io } from './io.js';

/** Says on standard error how far long work is. */
export interface Progress {
  /** Cheap: most calls only look at the clock. */
  update(done: number, total?: number): void;
  /** Takes away what stands on a terminal. Idempotent. */
  stop(): void;
}

const ON_TERMINAL_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;
const CLEAR = '\r\u001b[K';

/** One line that changes on a terminal; elsewhere a line now and then, so that a log stays short. */
export function progressOf(io: Io, what: string): Progress {
  const everyMs = io.stderrIsTTY ? ON_TERMINAL_EVERY_MS : LINE_EVERY_MS;
  let shownAt = io.now();
  let standing = false;
  return {
    update(done, total) {
      const now = io.now();
      if (now - shownAt < everyMs) return;
      shownAt = now;
      standing = io.stderrIsTTY;
      const line = total === undefined ? `${what} ${done}` : `${what} ${done} of ${total}`;
      io.report(io.stderrIsTTY ? `${CLEAR}${line}` : `${line}\n`);
    },
    stop() {
      if (standing) io.report(CLEAR);
      standing = false;
    },
  };
}
