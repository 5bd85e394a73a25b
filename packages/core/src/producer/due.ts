import { invalidArgument } from '../errors.js';
import { integerIn } from '../range.js';
import type { SendOptions } from './contract.js';

/** The largest time a Date can hold. */
const MAX_TIME = 8_640_000_000_000_000;

/** When a message is to be delivered, milliseconds since the Unix epoch; undefined: at once. Throws `INVALID_ARGUMENT`. */
export function dueAt({ delayMs, deliverAt }: SendOptions, now: number): number | undefined {
  if (delayMs === undefined && deliverAt === undefined) return undefined;
  if (delayMs !== undefined && deliverAt !== undefined)
    throw invalidArgument('Give delayMs or deliverAt, not both: they say the same.');
  if (delayMs !== undefined) return now + integerIn('delayMs', delayMs, 0, MAX_TIME - now, 0);
  return integerIn('deliverAt', deliverAt instanceof Date ? deliverAt.getTime() : deliverAt, 0, MAX_TIME, 0);
}

/** What a cancel token says. */
export interface CancelToken {
  readonly topic: string;
  /** Of the send; undefined where the message was due at once, so that there is nothing to cancel. */
  readonly token: string | undefined;
  readonly deliverAt: number;
}

const VERSION = 1;

export const writeToken = ({ topic, token, deliverAt }: CancelToken): string =>
  Buffer.from(JSON.stringify([VERSION, topic, deliverAt, token])).toString('base64url');

/** Throws `INVALID_ARGUMENT` for what {@link writeToken} did not make. */
export function readToken(text: string): CancelToken {
  try {
    const [version, topic, deliverAt, token] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (version === VERSION && typeof topic === 'string' && typeof deliverAt === 'number')
      return { topic, deliverAt, token: typeof token === 'string' ? token : undefined };
  } catch {
    // Told below.
  }
  throw invalidArgument('cancel() takes the cancelToken of a receipt, as it was.');
}
