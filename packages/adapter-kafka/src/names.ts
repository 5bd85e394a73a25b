/**
 * Names on the broker. A namespace has no dot, so the first dot ends it; no name has a colon, so the only colon of a group id
 * stands between group and topic: different names never meet.
 */

/** `<namespace>.<topic>`: at most 125 of the 249 characters that Kafka allows. */
export const topicName = (namespace: string, topic: string): string => `${namespace}.${topic}`;

/**
 * `<namespace>.<group>:<topic>`. One Kafka group for each topic of a group: a topic's partitions are then shared among those
 * who receive this topic, and a member that joins for another topic disturbs nobody.
 */
export const groupId = (namespace: string, group: string, topic: string): string => `${namespace}.${group}:${topic}`;

/** The topic that {@link topicName} made this of; undefined when it is of another namespace. */
export const topicOf = (namespace: string, name: string): string | undefined =>
  name.startsWith(`${namespace}.`) ? name.slice(namespace.length + 1) : undefined;

/** The group that {@link groupId} made this of; undefined when it is of another namespace or topic. */
export function groupOf(namespace: string, id: string, topic: string): string | undefined {
  const [begin, end] = [`${namespace}.`, `:${topic}`];
  return id.startsWith(begin) && id.endsWith(end) ? id.slice(begin.length, -end.length) : undefined;
}

/** `<partition>:<offset>`, unique within the topic. */
export const positionOf = (partition: number, offset: number): string => `${partition}:${offset}`;

/** Id of a message whose sender gave none: `<topic>/<partition>/<offset>`. */
export const madeId = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`;
