import { type Classification, type ErrorCode, MessagingError, messageOf } from '@anymq/core/adapter';

type Row<T> = readonly [from: number, to: number, ...T[]];

/** Status codes of the proxy (20000 and above) and of gRPC itself (1 to 16), by ranges. First match wins. */
const STATUS: readonly Row<ErrorCode | boolean>[] = [
  [1, 1, 'UNAVAILABLE', true],
  [4, 4, 'TIMEOUT', true],
  [7, 7, 'UNAUTHORISED', false],
  [8, 8, 'TOO_LARGE', false],
  [12, 12, 'UNSUPPORTED', false],
  [14, 14, 'UNAVAILABLE', true],
  [16, 16, 'UNAUTHORISED', false],
  [40014, 40014, 'CONFLICT', false],
  [40100, 40199, 'UNAUTHORISED', false],
  [40300, 40399, 'UNAUTHORISED', false],
  [40400, 40499, 'NOT_FOUND', false],
  [40800, 40800, 'TIMEOUT', true],
  [41300, 41301, 'TOO_LARGE', false],
  [42900, 42999, 'UNAVAILABLE', true],
  [43100, 43199, 'TOO_LARGE', false],
  [50000, 50099, 'UNAVAILABLE', true],
  [50100, 50199, 'UNSUPPORTED', false],
  [50400, 50499, 'TIMEOUT', true],
  [50500, 50599, 'UNSUPPORTED', false],
];

/** Codes of the remoting protocol (name server and broker). */
const REMOTING: ReadonlyMap<number, readonly [ErrorCode, boolean]> = new Map<number, readonly [ErrorCode, boolean]>([
  [2, ['UNAVAILABLE', true]],
  [14, ['UNAVAILABLE', true]],
  [16, ['UNAUTHORISED', false]],
  [17, ['NOT_FOUND', false]],
  [26, ['NOT_FOUND', false]],
]);

/** Texts that say more than the code they come with. First match wins. */
const TEXTS: readonly (readonly [RegExp, ErrorCode, boolean])[] = [
  // Nobody but people can change a certificate or an option.
  [/certificate|ERR_TLS_|wrong version number|EPROTO|PEM routines|key values mismatch/i, 'UNAVAILABLE', false],
  // All brokers of the topic are down, or only a slave is left: no question of rights.
  [/no writable queue/, 'UNAVAILABLE', true],
  [/username cannot be null|check signature failed|has no permission|User:\S+ is not found/, 'UNAUTHORISED', false],
];

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|ERR_SOCKET_CLOSED|ERR_STREAM_DESTROYED)$/;

const UNKNOWN: Classification = Object.freeze({ code: 'INTERNAL', retryable: false });
/** The library wraps up to three times. */
const MAX_CAUSES = 5;

/** The portable code of anything that the client library throws or emits. Never throws. */
export function classify(error: unknown): Classification {
  let each = error;
  for (let depth = 0; each !== undefined && each !== null && depth < MAX_CAUSES; depth++) {
    const found = one(each);
    if (found !== undefined) return found;
    each = (each as { cause?: unknown }).cause;
  }
  return UNKNOWN;
}

function one(error: unknown): Classification | undefined {
  if (error instanceof MessagingError) return { code: error.code, retryable: error.retryable };
  const text = messageOf(error);
  const found = TEXTS.find(([pattern]) => pattern.test(text));
  if (found !== undefined) return { code: found[1], retryable: found[2] };
  return byRemotingCode(numberIn(error, 'remotingCode')) ?? byCode(codeOf(error));
}

function byRemotingCode(remoting: number | undefined): Classification | undefined {
  const [code, retryable] = (remoting === undefined ? undefined : REMOTING.get(remoting)) ?? [];
  return code === undefined ? undefined : { code, retryable: retryable === true };
}

function byCode(code: unknown): Classification | undefined {
  if (typeof code === 'string') return NETWORK.test(code) ? { code: 'UNAVAILABLE', retryable: true } : undefined;
  if (typeof code !== 'number') return undefined;
  const row = STATUS.find(([from, to]) => code >= from && code <= to);
  return row === undefined ? undefined : { code: row[2] as ErrorCode, retryable: row[3] === true };
}

/** What an answer or its absence says about a message that was written. */
const CERTAINLY_NOT: readonly Row<never>[] = [
  [7, 8],
  [12, 12],
  [16, 16],
  [40000, 43199],
  [50100, 50199],
  [50500, 50599],
];
const NOT_SENT_TEXTS =
  /No connection established|RemotingConnectException|no writable queue|message body size exceeded|TIMEOUT_CLEAN_QUEUE|PCBUSY_CLEAN_QUEUE|REJECTREQUEST|topic route info/;

/** True: the message is certainly not stored. False: it may be. */
export function certainlyNotStored(error: unknown): boolean {
  if (error instanceof MessagingError || error instanceof TypeError) return true;
  if (NOT_SENT_TEXTS.test(messageOf(error))) return true;
  const code = codeOf(error);
  // Asked for after a time, an answer says nothing.
  if (typeof code !== 'number' || code === 40800) return false;
  return CERTAINLY_NOT.some(([from, to]) => code >= from && code <= to);
}

/** The lease of a message is over: somebody else may have it. */
export const isLeaseLost = (code: number): boolean => code === 40013;

/** A status code of the proxy, a gRPC code, or the code of a Node.js error. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function numberIn(error: unknown, name: string): number | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === 'number' ? value : undefined;
}

/** An answer of the proxy that is no success. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;

  constructor(code: number, message: string, asked: string) {
    super(`RocketMQ answered ${code} to ${asked}: ${message}`);
    this.code = code;
  }
}

/** Errors of this adapter's own. */
export function fault(code: ErrorCode, message: string, cause?: unknown, retryable?: boolean): MessagingError {
  return new MessagingError(code, message, {
    adapter: 'rocketmq',
    cause,
    ...(retryable === undefined ? {} : { retryable }),
  });
}
