import type { Clock } from '../clock.js';
import { MessagingError } from '../errors.js';
import type { BatchHandler, Delivery, Handler } from '../message.js';
import type { CoreDelivery } from './delivery.js';

type AnyHandler = Handler<unknown> | BatchHandler<unknown>;

/**
 * The handler, with a limit to its time. When that is over its deliveries are told and the call has failed, whatever it
 * returns; but it has not ended before the handler has: who came next would overlap with it.
 */
export function limited(handler: AnyHandler, timeoutMs: number, clock: Clock): AnyHandler {
  const call = handler as (given: Delivery<unknown> | readonly Delivery<unknown>[]) => unknown;
  return (async (given: CoreDelivery | readonly CoreDelivery[]) => {
    let late: MessagingError | undefined;
    const timer = clock.setTimer(timeoutMs, () => {
      late = new MessagingError('TIMEOUT', `The handler did not end within ${timeoutMs} ms.`);
      for (const delivery of [given].flat() as CoreDelivery[]) delivery.abort(late);
    });
    try {
      const outcome = await call(given);
      if (late === undefined) return outcome;
    } catch (error) {
      if (late === undefined) throw error;
    } finally {
      timer.cancel();
    }
    throw late;
  }) as AnyHandler;
}
