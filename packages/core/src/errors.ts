/**
 * Every code a {@link MessagingError} can carry. The list is closed: codes keep their meaning within a major version,
 * messages do not. `docs/errors.md` has a heading for each.
 */
export const ERROR_CODES = [
  'INVALID_ARGUMENT',
  'INVALID_VALUE',
  'ENCODING_FAILED',
  'DECODING_FAILED',
  'TOO_LARGE',
  'INVALID_CONFIG',
  'UNSUPPORTED',
  'CONFLICT',
  'NOT_FOUND',
  'UNROUTABLE',
  'UNAUTHORISED',
  'UNAVAILABLE',
  'TIMEOUT',
  'INDETERMINATE',
  'STALE_DELIVERY',
  'ABORTED',
  'CLOSED',
  'INTERNAL',
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The same call may succeed later without any change by the caller. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'INDETERMINATE']);

/** What an error knows beside its code and message. */
export interface MessagingErrorDetails {
  /** Name of the adapter that met the fault, e.g. `kafka`. */
  readonly adapter?: string | undefined;
  /** The untouched error underneath. */
  readonly cause?: unknown;
  /** @default what the code says: UNAVAILABLE, TIMEOUT and INDETERMINATE are retryable */
  readonly retryable?: boolean;
}

/** The only error class that AnyMQ throws. Act on `code`, never on `message`. */
export class MessagingError extends Error {
  override readonly name = 'MessagingError';
  readonly code: ErrorCode;
  /** The same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** The effect of the call is unknown: it may have happened. Repeat it with the same id, or look. */
  readonly indeterminate: boolean;
  readonly adapter: string | undefined;

  constructor(code: ErrorCode, message: string, details: MessagingErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    this.indeterminate = code === 'INDETERMINATE';
    this.adapter = details.adapter;
  }
}

/** For handlers to throw: trying again cannot help, the message goes where the subscription's `deadLetter` says. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
}

/** The code of anything that was thrown: a {@link MessagingError}'s own, `INTERNAL` for everything else. Never throws. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof MessagingError ? error.code : 'INTERNAL';
}

/** A caller's mistake, found before anything was sent. */
export function invalidArgument(message: string): MessagingError {
  return new MessagingError('INVALID_ARGUMENT', message);
}

/** `error.message` of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
