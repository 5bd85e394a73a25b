import type { Clock } from '@anymq/core/adapter';

/** What {@link within} answers when time is up. */
export const LATE: unique symbol = Symbol('late');

/** What `promise` resolves to, or `LATE` after `delayMs`. Rejects as `promise` does; after `LATE` its failure is swallowed. */
export function within<T>(clock: Clock, promise: Promise<T>, delayMs: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(delayMs, () => resolve(LATE));
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

/** Waits for the end of `promise`, whichever, but no longer than `delayMs`. */
export async function settledWithin(clock: Clock, promise: Promise<unknown>, delayMs: number): Promise<void> {
  await within(
    clock,
    promise.catch(() => {}),
    delayMs,
  );
}
