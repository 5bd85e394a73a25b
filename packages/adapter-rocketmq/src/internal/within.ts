import type { Clock } from '@anymq/core/adapter';

/** Resolves when `work` has ended in any way, at latest after `ms`: true when it ended in time. */
export function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(ms, () => resolve(false));
    const ended = (): void => {
      timer.cancel();
      resolve(true);
    };
    work.then(ended, ended);
  });
}

/** Rejects with the signal's reason as soon as it is aborted; what `work` comes to is then nobody's. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
