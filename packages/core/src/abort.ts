import { MessagingError } from './errors.js';

/** `promise`, or `ABORTED` as soon as `signal` is. What the promise does goes on; its late rejection is swallowed. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise;
  const abortion = (): MessagingError =>
    new MessagingError('ABORTED', `The signal was aborted while ${what}.`, { cause: signal.reason });
  promise.catch(() => {});
  if (signal.aborted) throw abortion();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortion());
    signal.addEventListener('abort', abort, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
