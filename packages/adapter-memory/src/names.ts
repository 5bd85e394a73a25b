/**
 * Names on the broker: `<namespace>.<name>`. A namespace has no dot, so no two portable names share one, and two
 * applications with different namespaces on one broker never meet.
 */
export const topicName = (namespace: string, topic: string): string => `${namespace}.${topic}`;

/** The portable name of a topic of the namespace; undefined for topics of others. */
export const portableName = (namespace: string, name: string): string | undefined =>
  name.startsWith(`${namespace}.`) ? name.slice(namespace.length + 1) : undefined;

/** Groups stand under the namespace too, apart per topic. */
export const groupName = (namespace: string, group: string): string => `${namespace}.${group}`;
