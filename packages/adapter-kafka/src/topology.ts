import { type Clock, sleep } from '@anymq/core/adapter';
import type { Client } from './client.js';
import { KafkaFault, typeOf } from './errors.js';
import type { Leaders } from './internal/leaders.js';
import type { Link } from './internal/link.js';
import { logOffsets } from './internal/log-offsets.js';
import type { ParsedOptions } from './options.js';

/** A topic that was just created has its leaders within milliseconds; a cluster that elects takes longer. */
const LEADERS_MS = 10_000;
const POLL_MS = 20;

/** What brokers say of a topic that exists but is not ready, or is not known to all of them yet. */
const NOT_READY: ReadonlySet<string> = new Set([
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_FOR_PARTITION',
]);

/**
 * Creates the topic where it is missing and learns its leaders. A topic that exists is used as it is: how many partitions it
 * has and how long it keeps messages is its owner's affair.
 */
export async function ensureTopic(
  client: Client,
  link: Link,
  name: string,
  options: ParsedOptions,
  leaders: Leaders,
  clock: Clock,
): Promise<void> {
  try {
    await leaders.refresh(link);
  } catch (error) {
    if (!NOT_READY.has(typeOf(error))) throw error;
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') await create(client, name, options);
    await untilLed(link, name, leaders, clock);
  }
}

async function create(client: Client, name: string, options: ParsedOptions): Promise<void> {
  const { partitions, replicationFactor = -1 } = options;
  try {
    // False when somebody else was quicker. Leaders are waited for below: kafkajs's own wait can fail although all is well.
    await client.native.admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: name, numPartitions: partitions, replicationFactor }],
    });
  } catch (error) {
    const type = typeOf(error);
    if (type === 'TOPIC_ALREADY_EXISTS') return;
    if (type !== 'TOPIC_AUTHORIZATION_FAILED') throw error;
    const message = `topic '${name}' does not exist and these credentials may not create it; create it, or give them the right to`;
    throw new KafkaFault('UNAUTHORISED', false, message, error);
  }
}

async function untilLed(link: Link, name: string, leaders: Leaders, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + LEADERS_MS;
  for (;;) {
    try {
      await leaders.refresh(link);
      // A leader is named some milliseconds before it knows: ask the leaders themselves.
      await logOffsets(link, leaders, name, 'latest', leaders.partitions);
      return;
    } catch (error) {
      if (!NOT_READY.has(typeOf(error))) throw error;
      if (clock.monotonic() > deadline)
        throw new KafkaFault('UNAVAILABLE', true, `topic '${name}' has partitions without a leader`, error);
      await sleep(clock, POLL_MS);
    }
  }
}
