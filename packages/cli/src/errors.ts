import { codeOf, type ErrorCode } from '@anymq/core';

/** What the command's exit codes mean. They are documented: scripts depend on them. */
export const EXIT = Object.freeze({ done: 0, failed: 1, usage: 2, nothing: 3, interrupted: 130 });

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end with an exit code of its own. Its message is one sentence for people; an empty one says nothing. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

export const wrongUsage = (message: string, cause?: unknown): CliError => new CliError(EXIT.usage, message, cause);
export const nothingMatched = (message: string): CliError => new CliError(EXIT.nothing, message);
export const failed = (message: string, cause?: unknown): CliError => new CliError(EXIT.failed, message, cause);

/** What the caller said is wrong, and will be wrong again: not a matter of the broker's state. */
const CALLERS_MISTAKES: ReadonlySet<ErrorCode> = new Set(['INVALID_ARGUMENT', 'INVALID_CONFIG', 'UNSUPPORTED']);

/** The exit code of anything that was thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  return CALLERS_MISTAKES.has(codeOf(error)) ? EXIT.usage : EXIT.failed;
}

/** `error.message` of anything that was thrown, without credentials. */
export const sentenceOf = (error: unknown): string =>
  withoutCredentials(isError(error) ? error.message || error.name : String(error));

/** By shape: what another realm throws is an instance of its own `Error`. */
const isError = (thrown: unknown): thrown is Error =>
  typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string';

/**
 * The chain of causes, one a line. Only names, codes and messages: broker clients hang connections, and with them passwords,
 * on their errors.
 */
export function causesOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  let cause = (error as { cause?: unknown } | undefined)?.cause;
  // Bounded: a chain may be a circle.
  for (let depth = 0; cause !== undefined && depth < 8; depth += 1) {
    lines.push(`  caused by ${described(cause)}`);
    cause = (cause as { cause?: unknown } | null)?.cause;
  }
  return lines;
}

function described(cause: unknown): string {
  if (!isError(cause)) return typeof cause === 'string' ? withoutCredentials(cause) : typeof cause;
  const { code } = cause as { code?: unknown };
  const known = typeof code === 'string' || typeof code === 'number' ? ` ${code}` : '';
  return `${cause.name}${known}: ${sentenceOf(cause)}`;
}

/** Core's errors hold none; those of a broker's client below them may quote its address as it was given. */
const withoutCredentials = (text: string): string => text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1***@');
