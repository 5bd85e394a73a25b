/** What a subscription is put together from, as its options say. */
import { Calls, type HandlerCalls } from './calls.js';
import { DeduplicatedCalls } from './deduplicated-calls.js';
import { limited } from './handler-timeout.js';
import { Letters } from './letters.js';
import type { SubscriptionSettings } from './subscription.js';
import type { Work } from './work.js';

/** Undefined where nothing is kept of what is given up. */
export function lettersOf({ topic, group, options, system, letterSystem }: SubscriptionSettings): Letters | undefined {
  const { deadLetter } = options.failure;
  if (letterSystem === undefined || deadLetter === undefined || deadLetter === 'none') return undefined;
  const { namespace } = system.broker.runtime;
  const to = deadLetter === 'kept' ? undefined : deadLetter.topic;
  return new Letters({ topic, group, namespace, to, system: letterSystem });
}

/** @param mayStart see {@link Dispatcher.mayStart} */
export function callsOf(settings: SubscriptionSettings, mayStart: (work: Work) => Promise<boolean>): HandlerCalls {
  const { topic, group, options, system, duplicateSuppressed, deduplicationFailed } = settings;
  const { configured, runtime } = system.broker;
  const { limits } = configured.capabilities;
  const longestMs = options.failure.whileRetrying === 'release' ? limits.maxDelayMs : limits.maxHoldMs;
  const calls = new Calls(topic, group, handlerOf(settings), longestMs);
  if (options.deduplicate === undefined) return calls;
  return new DeduplicatedCalls(calls, {
    store: options.deduplicate,
    scope: `${runtime.namespace}/${group}/${topic.spec.name}`,
    mayStart,
    suppressed: duplicateSuppressed,
    notRecorded: deduplicationFailed,
  });
}

function handlerOf({ handler, options, system }: SubscriptionSettings): SubscriptionSettings['handler'] {
  const { handlerTimeoutMs } = options.failure;
  return handlerTimeoutMs === undefined ? handler : limited(handler, handlerTimeoutMs, system.broker.runtime.clock);
}
