/**
 * Names on the broker: `<namespace>.<name>`. A namespace has no dot, so no two portable names share one, and two
 * applications with different namespaces on one broker never meet.
 */
export const topicName = (namespace: string, topic: string): string => `${namespace}.${topic}`;

/** Groups stand under the namespace too, apart per topic. */
export const groupName = (namespace: string, group: string): string => `${namespace}.${group}`;
