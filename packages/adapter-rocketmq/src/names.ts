import { createHash } from 'node:crypto';

/** The broker allows 255 for a group; `%RETRY%<group>_<topic>` of unordered groups must fit as well. */
const MAX_GROUP_LENGTH = 120;
const HASH_LENGTH = 16;

/** RocketMQ has no dots. Portable names have no underscore and namespaces neither, so this is injective. */
const flat = (name: string): string => name.replaceAll('.', '_');

/** Name of a topic on the broker: `<namespace>_<topic>`, dots written as underscores. */
export function topicName(namespace: string, topic: string): string {
  return `${namespace}_${flat(topic)}`;
}

/**
 * Name of a group on the broker: one for each group on each topic, `<namespace>_<group>%<topic>`. A longer one than the broker
 * stores well keeps its beginning and gets a hash of all of it.
 */
export function groupName(namespace: string, group: string, topic: string): string {
  const name = `${namespace}_${flat(group)}%${flat(topic)}`;
  if (name.length <= MAX_GROUP_LENGTH) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, MAX_GROUP_LENGTH - HASH_LENGTH - 1)}|${hash}`;
}

/** Where the broker puts what it gives up of a group: it makes the topic when it first does. */
export const givenUpTopic = (group: string): string => `%DLQ%${group}`;

/** The group that takes it from there: with the group's own settings the broker would give it up again. Short, as above. */
export function givenUpGroup(namespace: string, group: string): string {
  const hash = createHash('sha256').update(group).digest('hex').slice(0, HASH_LENGTH);
  return `${namespace}_given-up|${hash}`;
}

const portable = (name: string): string => name.replaceAll('_', '.');

/** What {@link topicName} made the name from; undefined for a topic that is not ours. */
export function portableTopic(namespace: string, name: string): string | undefined {
  const prefix = `${namespace}_`;
  return name.startsWith(prefix) ? portable(name.slice(prefix.length)) : undefined;
}

/** What {@link groupName} made the name from, which is readable in shortened names too; undefined for another topic's group. */
export function portableGroup(namespace: string, name: string, topic: string): string | undefined {
  const [own = ''] = name.split('%');
  const group = portableTopic(namespace, own);
  return group !== undefined && groupName(namespace, group, topic) === name ? group : undefined;
}
