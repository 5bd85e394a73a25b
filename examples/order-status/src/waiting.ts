import { setTimeout as sleep } from 'node:timers/promises';
import { Stalled } from './errors.js';

const LOOK_MS = 50;
const STALL_MS = 60_000;

/** What is waited for. */
export interface Wait {
  /** Completes 'Nothing has moved for 60 s: '. */
  readonly what: () => string;
  readonly done: () => boolean | Promise<boolean>;
  /** Changes as long as something moves. */
  readonly pulse: () => number;
  /** Ends the wait with its reason. */
  readonly signal: AbortSignal;
  /** @default 60_000 */
  readonly stallMs?: number;
}

/** Resolves when it is done; rejects with {@link Stalled} when nothing moves any more, or with the signal's reason. */
export async function until({ what, done, pulse, signal, stallMs = STALL_MS }: Wait): Promise<void> {
  let [last, movedAt] = [Number.NaN, performance.now()];
  while (!(await done())) {
    signal.throwIfAborted();
    const now = performance.now();
    if (pulse() !== last) [last, movedAt] = [pulse(), now];
    else if (now - movedAt > stallMs)
      throw new Stalled(`Nothing has moved for ${stallMs / 1_000} s: ${what()} Is the broker in good health?`);
    await sleep(LOOK_MS);
  }
}
