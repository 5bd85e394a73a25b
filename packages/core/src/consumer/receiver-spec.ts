import type { ReceiverSpec, TopicSpec } from '../adapter/spi.js';
import type { TopicDefinition } from '../topic.js';
import type { ResolvedSubscribeOptions } from './options.js';

/** What a subscription asks its adapter for. @param random for the name of a broadcast consumer's own group */
export function receiverSpec(
  topic: TopicDefinition,
  group: { readonly name: string; readonly broadcast: boolean },
  options: ResolvedSubscribeOptions,
  random: () => number,
): ReceiverSpec {
  return {
    topic: topic.spec,
    group: group.broadcast ? ownName(group.name, random) : group.name,
    ephemeral: group.broadcast,
    startFrom: options.startFrom,
    maxInFlight: options.maxInFlight + options.failure.maxHeld,
    maxInFlightBytes: options.maxInFlightBytes,
    charter: charter(options.startFrom, topic.spec),
  };
}

/**
 * For a topic that was deleted and made again: everything in it was sent to a group that had subscribed, so none of it is passed
 * over. Without history, and for a consumer that is a group of its own, there is nothing before.
 */
export function resumedSpec(spec: ReceiverSpec): ReceiverSpec {
  const hasHistory = spec.topic.history === 'full' && spec.ephemeral !== true;
  return hasHistory ? { ...spec, startFrom: 'earliest' } : spec;
}

/** A name that nobody else has: made anew for each start, so that nothing of a failed one is in the way. */
function ownName(group: string, random: () => number): string {
  const part = (): string =>
    Math.floor(random() * 36 ** 6)
      .toString(36)
      .padStart(6, '0');
  return `${group}.${part()}${part()}`;
}

/** What is asked for on a topic of core's own: whatever it keeps, or what comes to a group that is made before. */
export function ownReceiverSpec(
  topic: TopicSpec,
  group: string,
  bounds: Pick<ReceiverSpec, 'maxInFlight' | 'maxInFlightBytes'>,
): ReceiverSpec {
  const startFrom = topic.history === 'full' ? 'earliest' : 'latest';
  return { topic, group, startFrom, ...bounds, ephemeral: false, charter: charter(startFrom, topic) };
}

/** What all members of a group must agree on. Grows by fields that matter to the group as a whole. */
const charter = (startFrom: 'earliest' | 'latest', { keyed, history }: TopicSpec): string =>
  `startFrom=${startFrom};keyed=${keyed};history=${history}`;
