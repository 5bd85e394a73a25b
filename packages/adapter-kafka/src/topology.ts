import { type Clock, sleep, type TopicSpec } from '@anymq/core/adapter';
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
 * For ledgers: the last record of each key stays for ever. Segments are closed after a day or 16 MiB, because nothing of an
 * open one is compacted, and a tenth of what is superseded suffices to begin.
 */
const LAST_OF_KEY = Object.freeze([
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'retention.ms', value: '-1' },
  { name: 'retention.bytes', value: '-1' },
  { name: 'segment.ms', value: '86400000' },
  { name: 'segment.bytes', value: '16777216' },
  { name: 'min.cleanable.dirty.ratio', value: '0.1' },
]);

export interface TopologySettings {
  readonly client: Client;
  readonly link: Link;
  readonly topic: TopicSpec;
  /** Of the topic on the broker. */
  readonly name: string;
  readonly options: ParsedOptions;
  readonly clock: Clock;
}

/**
 * Creates the topic where it is missing, unless topics are only to be checked, and learns its leaders. A topic that exists is
 * used as it is: how many partitions it has and how long it keeps messages is its owner's affair. Only one that must be one
 * lane must have one partition.
 */
export async function ensureTopic(settings: TopologySettings, leaders: Leaders): Promise<void> {
  const { link, topic, name } = settings;
  try {
    await leaders.refresh(link);
  } catch (error) {
    if (!NOT_READY.has(typeOf(error))) throw error;
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') await create(settings);
    await untilLed(settings, leaders);
  }
  if (topic.oneLane !== true || leaders.count === 1) return;
  const message = `topic '${name}' has ${leaders.count} partitions, and must have one to keep the order of all its messages`;
  throw new KafkaFault('CONFLICT', false, message);
}

/** Asks without creating. */
export async function topicExists(link: Link, name: string): Promise<boolean> {
  try {
    await link.leaders(name);
    return true;
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    if (typeOf(error) === 'LEADER_NOT_AVAILABLE') return true;
    throw error;
  }
}

/** As kafkajs wants it. */
interface Creation {
  topic: string;
  numPartitions: number;
  replicationFactor: number;
  configEntries?: { name: string; value: string }[];
}

/** What a missing topic is created with. */
export function creationOf(topic: TopicSpec, name: string, options: ParsedOptions): Creation {
  const { partitions, replicationFactor = -1 } = options;
  return {
    topic: name,
    numPartitions: topic.oneLane === true ? 1 : partitions,
    replicationFactor,
    ...(topic.retention === 'last-of-key' ? { configEntries: [...LAST_OF_KEY] } : {}),
  };
}

async function create({ client, topic, name, options }: TopologySettings): Promise<void> {
  const { topology } = options;
  if (topology === 'check')
    throw new KafkaFault(
      'NOT_FOUND',
      false,
      `topic '${name}' does not exist, and option topology: 'check' creates none`,
    );
  try {
    // False when somebody else was quicker. Leaders are waited for below: kafkajs's own wait can fail although all is well.
    await client.native.admin.createTopics({
      waitForLeaders: false,
      topics: [creationOf(topic, name, options)],
    });
  } catch (error) {
    const type = typeOf(error);
    if (type === 'TOPIC_ALREADY_EXISTS') return;
    if (type !== 'TOPIC_AUTHORIZATION_FAILED') throw error;
    const message = `topic '${name}' does not exist and these credentials may not create it; create it, or give them the right to`;
    throw new KafkaFault('UNAUTHORISED', false, message, error);
  }
}

async function untilLed({ link, name, clock }: TopologySettings, leaders: Leaders): Promise<void> {
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
