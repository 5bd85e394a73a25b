import { MessagingError, PermanentError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Result } from './calls.js';
import type { ResolvedFailureOptions } from './failure-options.js';
import { delayOf } from './retry-backoff.js';

/** A call that did not acknowledge, or a message that no call was made for. */
export type Failure = Extract<Result, { kind: 'failed' | 'decided' | 'unreadable' | 'given-up' }>;

/** What is to become of the message. */
export type Decision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: unknown }
  | { readonly kind: 'dead-letter' | 'discard'; readonly error: unknown };

type Asked = 'retry' | 'dead-letter' | 'discard';

/** The retry policy of one subscription. */
export class FailurePolicy {
  readonly #options: ResolvedFailureOptions;
  readonly #random: () => number;
  readonly #log: Logger;

  constructor(options: ResolvedFailureOptions, random: () => number, log: Logger) {
    this.#options = options;
    this.#random = random;
    this.#log = log;
  }

  /** Nothing is called for a message that cannot be read, when there is a place for what is given up. */
  counts(failure: Failure): boolean {
    if (failure.kind === 'given-up') return false;
    return failure.kind !== 'unreadable' || this.#options.deadLetter === undefined;
  }

  /** Something went wrong; false where a handler decided, or none was called. */
  isFault(failure: Failure): boolean {
    return failure.kind === 'failed' || (failure.kind === 'decided' && failure.decision === 'retry');
  }

  /** @param attempts handler calls so far, this one included */
  decide(failure: Failure, attempts: number): Decision {
    const { error } = failure;
    const asked = this.#asked(failure);
    if (asked === 'discard') return { kind: 'discard', error };
    const { deadLetter, maxAttempts } = this.#options;
    const last = maxAttempts !== undefined && attempts >= maxAttempts;
    if (asked === 'retry' && !last) return this.#again(failure, attempts, error);
    if (deadLetter === undefined) return this.#again(failure, attempts, nowhere(error));
    return { kind: deadLetter === 'none' ? 'discard' : 'dead-letter', error };
  }

  #again(failure: Failure, attempts: number, error: unknown): Decision {
    const asked = failure.kind === 'decided' ? failure.afterMs : undefined;
    return { kind: 'retry', delayMs: asked ?? delayOf(this.#options.backoff, attempts, this.#random), error };
  }

  #asked(failure: Failure): Asked {
    if (failure.kind === 'decided') return failure.decision;
    if (failure.kind === 'unreadable' || failure.kind === 'given-up')
      return this.#options.deadLetter === undefined ? 'retry' : 'dead-letter';
    return this.#classify(failure.error);
  }

  /** An unsure answer gives nothing up. */
  #classify(error: unknown): Asked {
    const { classify } = this.#options;
    if (classify === undefined) return error instanceof PermanentError ? 'dead-letter' : 'retry';
    try {
      const answer: unknown = classify(error);
      if (answer === 'retry' || answer === 'dead-letter' || answer === 'discard') return answer;
      this.#log.warn("retry.classify must answer 'retry', 'dead-letter' or 'discard'; the message is tried again.", {
        answer,
      });
    } catch (fault) {
      this.#log.warn('retry.classify threw; the message is tried again.', { error: fault });
    }
    return 'retry';
  }
}

function nowhere(cause: unknown): MessagingError {
  return new MessagingError(
    'INVALID_ARGUMENT',
    "The message cannot be given up: nothing keeps dead letters here. Give subscribe() deadLetter: { topic } or 'none'. It is tried again.",
    { cause },
  );
}
