import type { Adapter } from '../adapter/spi.js';
import { MessagingError } from '../errors.js';
import type { System } from './system.js';

/** How long a broker may keep a call waiting without any progress. */
export const PATIENCE_MS = 30_000;

/** `promise`, or the reason of `stop` as soon as it is aborted. The promise's late rejection is swallowed. */
export async function orStopped<T>(promise: Promise<T>, stop: AbortSignal): Promise<T> {
  promise.catch(() => {});
  stop.throwIfAborted();
  let abort = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    abort = () => reject(stop.reason);
    stop.addEventListener('abort', abort, { once: true });
  });
  return Promise.race([promise, stopped]).finally(() => stop.removeEventListener('abort', abort));
}

/** Does `operation` on the system's broker, connected. Ends with the reason of `stop`, or with `TIMEOUT`. */
export async function ask<T>(
  { broker }: System,
  operation: (adapter: Adapter) => Promise<T>,
  what: string,
  stop: AbortSignal,
): Promise<T> {
  stop.throwIfAborted();
  await orStopped(broker.connect(), stop);
  const late = new AbortController();
  const timer = broker.runtime.clock.setTimer(PATIENCE_MS, () =>
    late.abort(new MessagingError('TIMEOUT', `Could not ${what}: no answer within ${PATIENCE_MS} ms.`)),
  );
  const ended = AbortSignal.any([stop, late.signal]);
  return orStopped(broker.run(operation, what, ended), ended).finally(() => timer.cancel());
}
