import { invalidArgument } from '../errors.js';
import type { Outcome } from '../message.js';
import { integerIn } from '../range.js';
import type { Result } from './calls.js';

export const ACKED: Result = Object.freeze({ kind: 'ack' });
export const failed = (error: unknown): Result => ({ kind: 'failed', error });
/** @param why in the broker's words */
export const givenUp = (why: string): Result => ({ kind: 'given-up', error: new GivenUpByBroker(why) });

/** The cause of a letter whose message no handler of ours gave up. */
class GivenUpByBroker extends Error {
  override readonly name = 'GivenUpByBroker';
  readonly code = 'GIVEN_UP_BY_BROKER';

  constructor(why: string) {
    super(`The broker gave the message up by itself: ${why}.`);
  }
}

/** What a handler's outcome means. One that cannot be is a failed call. */
export function toResult(outcome: void | Outcome, maxHoldMs: number): Result {
  if (outcome === undefined || outcome === null || outcome.kind === 'ack') return ACKED;
  if (outcome.kind === 'retry') return toRetry(outcome, maxHoldMs);
  if (outcome.kind === 'dead-letter' || outcome.kind === 'discard')
    return { kind: 'decided', decision: outcome.kind, error: outcome.reason };
  return failed(
    invalidArgument(
      `A handler returned ${JSON.stringify(outcome)}. Return nothing, ack(), retry(), deadLetter() or discard().`,
    ),
  );
}

function toRetry({ afterMs, reason }: Outcome & { readonly kind: 'retry' }, maxHoldMs: number): Result {
  if (afterMs === undefined) return { kind: 'decided', decision: 'retry', error: reason };
  try {
    const checked = integerIn('afterMs', afterMs, 0, maxHoldMs, 0);
    return { kind: 'decided', decision: 'retry', afterMs: checked, error: reason };
  } catch (error) {
    return failed(error);
  }
}
