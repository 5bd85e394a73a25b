import { ExponentialBackoff, type IBackoff, noJitterGenerator } from 'cockatiel';
import type { Backoff } from './adapter/spi.js';

const INITIAL_MS = 100;
/** A broker that is back is found within this, whatever the outage. */
const MAX_MS = 5_000;

/**
 * 100 ms doubling to 5 s, each wait between half of that and all of it: enough jitter that many clients of a broker that
 * comes back do not arrive together. Jitter is drawn here because cockatiel's own takes no injected randomness.
 */
export function reconnectBackoff(random: () => number): Backoff {
  const waits = new ExponentialBackoff({ generator: noJitterGenerator, initialDelay: INITIAL_MS, maxDelay: MAX_MS });
  let wait: IBackoff<unknown> = waits.next();
  return {
    next() {
      const { duration } = wait;
      wait = wait.next(undefined);
      return duration * (0.5 + random() / 2);
    },
  };
}
