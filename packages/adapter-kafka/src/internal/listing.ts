import type { GroupStanding } from '@anymq/core/adapter';
import type { KafkaNative } from '../client.js';
import { groupOf, topicName, topicOf } from '../names.js';
import { decodeNote, unfinishedBy } from './commit-note.js';
import { Leaders } from './leaders.js';
import type { Link } from './link.js';
import { logOffsets } from './log-offsets.js';

/** Topics of the namespace. */
export async function topicsOf(admin: KafkaNative['admin'], namespace: string): Promise<readonly string[]> {
  const names = await admin.listTopics();
  return names.flatMap((name) => topicOf(namespace, name) ?? []).sort();
}

/** Groups of a topic. Rejects where there is no such topic. */
export async function groupsOf(
  admin: KafkaNative['admin'],
  link: Link,
  namespace: string,
  topic: string,
): Promise<readonly GroupStanding[]> {
  const name = topicName(namespace, topic);
  const leaders = new Leaders(name);
  await leaders.refresh(link);
  const ends = await logOffsets(link, leaders, name, 'latest', leaders.partitions);
  const listed = await admin.listGroups();
  const ids = listed.groups.map(({ groupId }) => groupId).filter((id) => groupOf(namespace, id, topic) !== undefined);
  // Asked about no group, Kafka answers with an error.
  const { groups } = ids.length === 0 ? { groups: [] } : await admin.describeGroups(ids.sort());
  return Promise.all(
    groups.map(async ({ groupId, members }) => ({
      group: groupOf(namespace, groupId, topic) ?? groupId,
      members: members.length,
      lag: await lagOf(admin, groupId, name, ends),
    })),
  );
}

async function lagOf(
  admin: KafkaNative['admin'],
  groupId: string,
  topic: string,
  ends: ReadonlyMap<number, number>,
): Promise<number> {
  const [stored] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const notes = new Map(
    (stored?.partitions ?? [])
      .filter(({ offset }) => Number(offset) >= 0)
      .map(({ partition, offset, metadata }) => [partition, decodeNote(Number(offset), metadata)]),
  );
  let lag = 0;
  for (const [partition, end] of ends) lag += unfinishedBy(notes.get(partition), end);
  return lag;
}
