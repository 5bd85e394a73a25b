import { type Classification, type ErrorCode, MessagingError, messageOf } from '@anymq/core/adapter';

/** Replies of the broker, by AMQP reply code. */
const REPLIES: ReadonlyMap<number, readonly [ErrorCode, boolean]> = new Map<number, readonly [ErrorCode, boolean]>([
  [311, ['TOO_LARGE', false]],
  [312, ['UNROUTABLE', false]],
  [320, ['UNAVAILABLE', true]],
  [402, ['UNAUTHORISED', false]],
  [403, ['UNAUTHORISED', false]],
  [404, ['NOT_FOUND', false]],
  // Somebody else holds it: a lock, or the exclusive queue of a connection that has not gone yet.
  [405, ['UNAVAILABLE', true]],
  [406, ['CONFLICT', false]],
  [506, ['UNAVAILABLE', true]],
  [530, ['UNAUTHORISED', false]],
  [540, ['UNSUPPORTED', false]],
  // What a starting broker answers while its port is open and its queues are not.
  [541, ['UNAVAILABLE', true]],
]);

const NETWORK: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM_DESTROYED',
]);

const TLS = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** The library's own errors have no code: they are known by their text. First match wins. */
const TEXTS: readonly (readonly [RegExp, ErrorCode, boolean])[] = [
  [/message size \d+ is? ?larger than|larger than configured max size/i, 'TOO_LARGE', false],
  [/delivery acknowledgement on channel \d+ timed out/i, 'TIMEOUT', true],
  [/ACCESS[-_]REFUSED|SASL mechanism/, 'UNAUTHORISED', false],
  // The reason is lost: the virtual host does not exist, or this user has no right on it.
  [/Expected ConnectionOpenOk/, 'UNAUTHORISED', false],
  [/Encoded field table/, 'TOO_LARGE', false],
  [/message nacked/, 'UNAVAILABLE', true],
  [/^connect ETIMEDOUT/, 'UNAVAILABLE', true],
  [/Heartbeat timeout|Unexpected close|Socket closed abruptly|no reply will be forthcoming/, 'UNAVAILABLE', true],
  [/channel clos(ed|ing)|connection clos(ed|ing)|No channels left/i, 'UNAVAILABLE', true],
];

const UNKNOWN: Classification = Object.freeze({ code: 'INTERNAL', retryable: false });

/** The portable code of anything that the client library throws or emits. Never throws. */
export function classify(error: unknown): Classification {
  if (error instanceof MessagingError) return { code: error.code, retryable: error.retryable };
  return byText(messageOf(error), true) ?? byCode(codeOf(error)) ?? byText(messageOf(error), false) ?? UNKNOWN;
}

function byCode(code: unknown): Classification | undefined {
  if (typeof code === 'number') {
    const [found, retryable] = REPLIES.get(code) ?? [];
    return found === undefined ? undefined : { code: found, retryable: retryable === true };
  }
  if (typeof code !== 'string') return undefined;
  if (NETWORK.has(code)) return { code: 'UNAVAILABLE', retryable: true };
  // Does not get better by itself: somebody must change a certificate or an option.
  return TLS.test(code) ? { code: 'UNAVAILABLE', retryable: false } : undefined;
}

/** @param specific only texts that say more than the code they come with */
function byText(text: string, specific: boolean): Classification | undefined {
  const found = (specific ? TEXTS.slice(0, 2) : TEXTS).find(([pattern]) => pattern.test(text));
  return found === undefined ? undefined : { code: found[1], retryable: found[2] };
}

/** The AMQP reply code, or the code of a Node.js error. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

export const isNotFound = (error: unknown): boolean => codeOf(error) === 404;
export const isLocked = (error: unknown): boolean => codeOf(error) === 405;
export const isConflict = (error: unknown): boolean => codeOf(error) === 406;

/** Errors of this adapter's own. */
export function fault(code: ErrorCode, message: string, cause?: unknown, retryable?: boolean): MessagingError {
  return new MessagingError(code, message, {
    adapter: 'rabbitmq',
    cause,
    ...(retryable === undefined ? {} : { retryable }),
  });
}

/**
 * What a closed channel says about a publish that was not confirmed. A refusal for lack of rights comes with the first
 * publish of a channel, so nothing before it can have been stored; in every other case something may have been.
 *
 * @param confirmed the channel had confirmed something before
 */
export function certainlyNotStored(error: unknown, confirmed: boolean): boolean {
  return !confirmed && codeOf(error) === 403;
}
