import { invalidArgument } from '../errors.js';
import { checkTopicName } from '../names.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';
import type { TopicDefinition } from '../topic.js';
import type { DeadLetterOptions, RetryPolicy, SubscribeOptions } from './contract.js';
import { checkBackoff, fixed, type RetryBackoff } from './retry-backoff.js';

const MAX_ATTEMPTS = 1_000_000;
const MAX_HELD = 100_000;
const DEFAULT_HELD = 1_000;
const MAX_HANDLER_TIMEOUT_MS = 86_400_000;
/**
 * Long enough that a failing dependency is not hammered, short enough for "within some seconds". It is also the wait of
 * what could not be handled for want of the deduplication store.
 */
export const DEFAULT_DELAY_MS = 1_000;

/** What becomes of messages that no handler acknowledged. */
export interface ResolvedFailureOptions {
  /** Undefined: as many as it takes. */
  readonly maxAttempts: number | undefined;
  readonly backoff: RetryBackoff;
  readonly classify: RetryPolicy['classify'];
  readonly maxHeld: number;
  readonly whileRetrying: 'hold-key' | 'release';
  readonly handlerTimeoutMs: number | undefined;
  /** `kept`: with the group's dead letters. Undefined: nothing is given up. */
  readonly deadLetter: DeadLetterOptions | 'kept' | 'none' | undefined;
}

/**
 * Defaults and checks of `retry`, `handlerTimeoutMs` and `deadLetter`: here and nowhere else.
 *
 * @param byDefault what becomes of what is given up when `deadLetter` is not said
 */
export function failureOptions(
  topic: TopicDefinition,
  options: SubscribeOptions,
  byDefault: 'kept' | undefined,
): ResolvedFailureOptions {
  const { retry = {}, handlerTimeoutMs, deadLetter: given } = options;
  checkObject('retry', retry);
  onlyKnown('retry', retry, ['maxAttempts', 'backoff', 'classify', 'maxHeld', 'whileRetrying']);
  const { maxAttempts, backoff, classify, maxHeld } = retry;
  const deadLetter = given === undefined ? byDefault : deadLetterOptions(topic.spec.name, given);
  if (classify !== undefined && typeof classify !== 'function')
    throw invalidArgument("retry.classify must be a function from an error to 'retry', 'dead-letter' or 'discard'.");
  if (maxAttempts !== undefined && deadLetter === undefined)
    throw invalidArgument(
      "retry.maxAttempts needs a place for what is given up. Give deadLetter: { topic: 'its-name' }, or deadLetter: 'none' to discard it.",
    );
  return {
    maxAttempts: optional('retry.maxAttempts', maxAttempts, MAX_ATTEMPTS),
    backoff: backoff === undefined ? fixed(DEFAULT_DELAY_MS) : checkBackoff(backoff),
    classify,
    maxHeld: integerIn('retry.maxHeld', maxHeld, 0, MAX_HELD, DEFAULT_HELD),
    whileRetrying: whileRetrying(retry.whileRetrying),
    handlerTimeoutMs: optional('handlerTimeoutMs', handlerTimeoutMs, MAX_HANDLER_TIMEOUT_MS),
    deadLetter,
  };
}

function optional(name: string, value: number | undefined, max: number): number | undefined {
  return value === undefined ? undefined : integerIn(name, value, 1, max, 1);
}

function whileRetrying(given: unknown = 'hold-key'): 'hold-key' | 'release' {
  if (given === 'hold-key' || given === 'release') return given;
  throw invalidArgument(`retry.whileRetrying must be 'hold-key' or 'release', found ${JSON.stringify(given)}.`);
}

function deadLetterOptions(source: string, given: DeadLetterOptions | 'none'): DeadLetterOptions | 'none' {
  if (given === 'none') return given;
  if (typeof given !== 'object' || given === null)
    throw invalidArgument(`deadLetter must be { topic } or 'none', found ${JSON.stringify(given)}.`);
  onlyKnown('deadLetter', given, ['topic']);
  const topic = checkTopicName(given.topic);
  if (topic !== source) return { topic };
  throw invalidArgument(
    `deadLetter.topic is '${topic}' itself: what is given up would come again for ever. Name another.`,
  );
}
