import { type AdapterRuntime, type GroupStanding, messageOf, sleep } from '@anymq/core/adapter';
import { isNotFound } from '../errors.js';
import { type GroupNames, groupNames, topicNames } from '../names.js';
import { exists, withChannel } from './channels.js';
import type { Link } from './link.js';
import { BEAT_MS, type Sign } from './presence.js';
import { randomName } from './random.js';

/** Every live member says something meanwhile. */
const LISTEN_MS = 2 * BEAT_MS + 100;

export interface StandingSettings {
  readonly runtime: AdapterRuntime;
  readonly consuming: Link;
  readonly topic: string;
  readonly buckets: number;
}

interface Group {
  readonly group: string;
  readonly names: GroupNames;
}

/** Unsettled messages by member, by routing key of a group's signs of life. */
type Signs = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** How those of `groups` that there are stand, as far as queues and members tell. */
export async function standingOf(settings: StandingSettings, groups: readonly string[]): Promise<GroupStanding[]> {
  const { entry, control } = namesOf(settings);
  const there: Group[] = [];
  for (const group of groups) {
    const names = groupNames(entry, group);
    if (await exists(settings.consuming, (channel) => channel.checkExchange(names.ready))) there.push({ group, names });
  }
  if (there.length === 0) return [];
  const signs = await listen(settings, control, there).catch((error) => {
    settings.runtime.log.debug(`The members of topic '${settings.topic}' cannot be heard: ${messageOf(error)}`);
    return new Map();
  });
  const standings: GroupStanding[] = [];
  for (const { group, names } of there) standings.push(await standing(settings, group, names, signs));
  return standings;
}

// What the names used here do not depend on is left open.
const namesOf = ({ runtime, topic, buckets }: StandingSettings): { entry: string; control: string } =>
  topicNames(runtime.namespace, topic, { buckets, history: 'full', keyed: true });

/** Says nothing itself: who does is taken for a member. */
function listen({ runtime, consuming }: StandingSettings, control: string, groups: readonly Group[]): Promise<Signs> {
  const signs = new Map(groups.map(({ names }) => [names.presence, new Map<string, number>()]));
  return withChannel(consuming, async (channel) => {
    // Named as a member's: what members may declare suffices.
    const queue = (groups[0] as Group).names.member(`listening-${randomName(runtime.random)}`);
    await channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: true });
    for (const key of signs.keys()) await channel.bindQueue(queue, control, key);
    const hear = (text: string, key: string): void => {
      const { id, kind, unsettled } = JSON.parse(text) as Sign;
      if (kind === 'bye') signs.get(key)?.delete(id);
      else signs.get(key)?.set(id, unsettled);
    };
    const { consumerTag } = await channel.consume(
      queue,
      (message) => message !== null && hear(message.content.toString(), message.fields.routingKey),
      { noAck: true },
    );
    await sleep(runtime.clock, LISTEN_MS);
    await channel.cancel(consumerTag);
    return signs;
  });
}

async function standing(
  { consuming, buckets }: StandingSettings,
  group: string,
  names: GroupNames,
  signs: Signs,
): Promise<GroupStanding> {
  const all = [...Array(buckets).keys()];
  let { ready, consumers } = await depth(consuming, [...all.map(names.bucket), names.givenUp]);
  if (await exists(consuming, (channel) => channel.checkExchange(names.pasts)))
    for (const bucket of all) ready += await depthOfPast(consuming, names.past(bucket));
  const members = signs.get(names.presence);
  // They consume and say nothing: a broker in need takes no signs of life.
  if (members === undefined || (members.size === 0 && consumers > 0)) return { group, lag: ready };
  const inFlight = [...members.values()].reduce((sum, unsettled) => sum + unsettled, 0);
  return { group, members: members.size, lag: ready + inFlight, inFlight };
}

function depth(link: Link, queues: readonly string[]): Promise<{ ready: number; consumers: number }> {
  return withChannel(link, async (channel) => {
    let ready = 0;
    let consumers = 0;
    for (const queue of queues) {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      ready += messageCount;
      consumers += consumerCount;
    }
    return { ready, consumers };
  });
}

async function depthOfPast(link: Link, queue: string): Promise<number> {
  try {
    return (await depth(link, [queue])).ready;
  } catch (error) {
    // It is handled, and gone.
    if (isNotFound(error)) return 0;
    throw error;
  }
}
