import type { ConfiguredAdapter } from './adapter/spi.js';
import type { CapabilityId } from './capabilities.js';
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

function require({ name, capabilities }: ConfiguredAdapter, id: CapabilityId, what: string): void {
  const row = capabilities.rows[id];
  if (row?.level !== 'unsupported') return;
  throw new MessagingError('UNSUPPORTED', `${what}, which ${name} cannot do (${id}): ${row.note}`, { adapter: name });
}
