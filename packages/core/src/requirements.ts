import type { ConfiguredAdapter } from './adapter/spi.js';
import type { CapabilityId } from './capabilities.js';
import type { ResolvedFailureOptions } from './consumer/failure-options.js';
import { longestOf } from './consumer/retry-backoff.js';
import { MessagingError } from './errors.js';
import type { TopicDefinition } from './topic.js';

/** Refuses a topic that the broker cannot serve as it was defined. Throws `UNSUPPORTED`, before anything connects. */
export function requireTopic(adapter: ConfiguredAdapter, { spec }: TopicDefinition): void {
  if (spec.keyed) require(adapter, 'key-order', `Topic '${spec.name}' has an ordering key`);
  if (spec.history === 'none') require(adapter, 'no-history', `Topic '${spec.name}' keeps no history`);
}

/** Refuses a start position that the broker cannot find. Throws `UNSUPPORTED`, before anything connects. */
export function requireStart(
  adapter: ConfiguredAdapter,
  topic: TopicDefinition,
  startFrom: 'earliest' | 'latest',
): void {
  require(adapter, `start-${startFrom}`, `The subscription of '${topic.spec.name}' starts from ${startFrom}`);
}

/** Refuses a broadcast consumer where there is no such thing. Throws `UNSUPPORTED`, before anything connects. */
export function requireBroadcast(adapter: ConfiguredAdapter, topic: TopicDefinition): void {
  require(adapter, 'broadcast', `The subscription of '${topic.spec.name}' is broadcast`);
}

/** Refuses a retry policy that the adapter cannot keep. Throws `UNSUPPORTED`, before anything connects. */
export function requireRetry(
  adapter: ConfiguredAdapter,
  topic: TopicDefinition,
  { backoff, whileRetrying }: Pick<ResolvedFailureOptions, 'backoff' | 'whileRetrying'>,
): void {
  const released = whileRetrying === 'release';
  if (released) require(adapter, 'release', `The subscription of '${topic.spec.name}' releases what it retries`);
  const limit = released ? 'maxDelayMs' : 'maxHoldMs';
  const mostMs = adapter.capabilities.limits[limit];
  const longestMs = longestOf(backoff);
  if (!(longestMs > mostMs)) return;
  throw new MessagingError(
    'UNSUPPORTED',
    `The back-off of '${topic.spec.name}' waits up to ${longestMs} ms, and ${adapter.name} ${released ? 'delays' : 'holds'} a message for at most ${mostMs} ms (limits.${limit}). Give retry.backoff shorter waits${released ? '' : ", or whileRetrying: 'release'"}.`,
    { adapter: adapter.name },
  );
}

/** Refuses a delay that the adapter cannot keep. Throws `UNSUPPORTED`, before anything is sent. */
export function requireDelay(adapter: ConfiguredAdapter, topic: string, delayMs: number): void {
  require(adapter, 'delay', `A message for '${topic}' is to be delayed`);
  const { maxDelayMs } = adapter.capabilities.limits;
  if (delayMs <= maxDelayMs) return;
  throw new MessagingError(
    'UNSUPPORTED',
    `A message for '${topic}' is due in ${delayMs} ms, and ${adapter.name} delays a message for at most ${maxDelayMs} ms (limits.maxDelayMs). Send it later, from a store of your own.`,
    { adapter: adapter.name },
  );
}

/** Can the broker do that at all? */
export const supports = ({ capabilities }: ConfiguredAdapter, id: CapabilityId): boolean =>
  capabilities.rows[id]?.level !== 'unsupported' && capabilities.rows[id] !== undefined;

function require({ name, capabilities }: ConfiguredAdapter, id: CapabilityId, what: string): void {
  const row = capabilities.rows[id];
  if (row?.level !== 'unsupported') return;
  throw new MessagingError('UNSUPPORTED', `${what}, which ${name} cannot do (${id}): ${row.note}`, { adapter: name });
}
