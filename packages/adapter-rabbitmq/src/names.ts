/**
 * Names on the broker. Portable names have neither `:` nor an underscore, a namespace has no dot: so everything of a topic
 * begins with `<namespace>.<topic>`, topic-level names have one colon, group-level names two, and no two things share one.
 */

/** What every process must agree on to share a topic. It stands in a name, where the broker compares it. */
export interface TopicShape {
  readonly buckets: number;
  readonly history: 'full' | 'none';
  readonly keyed: boolean;
}

export interface TopicNames {
  /** Direct exchange that everything is published to; routing key: the bucket. */
  readonly entry: string;
  /** Its alternate exchange (fanout): takes messages with any other routing key. */
  readonly rest: string;
  /** Direct exchange for what the adapter itself sends: markers, copies, notes, signs of life. */
  readonly control: string;
  /** Stream with everything that was published. */
  readonly history: string;
}

/** The exchange that a topic begins with: it is there as soon as somebody has created the topic. */
export const entryOf = (namespace: string, topic: string): string => `${namespace}.${topic}`;

/** Exchange and stream that list the topics and groups of a namespace: the only name with a colon and no dot before it. */
export const registryOf = (namespace: string): string => `${namespace}:registry`;

export function topicNames(namespace: string, topic: string, { buckets, history, keyed }: TopicShape): TopicNames {
  const entry = entryOf(namespace, topic);
  return {
    entry,
    rest: `${entry}:rest-${buckets}-${history}-${keyed ? 'keyed' : 'free'}`,
    control: `${entry}:control`,
    history: `${entry}:history`,
  };
}

/** The shape in the name of a `rest` exchange, undefined for any other name. */
export function shapeOf(rest: string): TopicShape | undefined {
  const match = /:rest-(\d+)-(full|none)-(keyed|free)$/.exec(rest);
  if (match === null) return undefined;
  return { buckets: Number(match[1]), history: match[2] as TopicShape['history'], keyed: match[3] === 'keyed' };
}

export interface GroupNames {
  /** Queue of a bucket: what is still to be handled. */
  bucket(index: number): string;
  /** Queue with a bucket's part of the history that was there before a late group; exists until it is handled. */
  past(index: number): string;
  /** Queue with what the broker itself has given up of the others. */
  readonly givenUp: string;
  /** Exchange that exists while there may be `past` queues. Nothing is published to it. */
  readonly pasts: string;
  /** Exchange that exists as soon as the group's queues stand. Nothing is published to it. */
  readonly ready: string;
  /** Stream with one record: what the members agreed on. */
  readonly charter: string;
  /** Stream with the attempts of failed messages. */
  readonly notes: string;
  /** Exclusive queue: who holds it sets the group up. */
  readonly lock: string;
  /** Exclusive queue of one member. */
  member(id: string): string;
  /** Routing key on the control exchange for signs of life. */
  readonly presence: string;
}

export function groupNames(entry: string, group: string): GroupNames {
  const base = `${entry}:${group}`;
  return {
    bucket: (index) => `${base}:${twoDigits(index)}`,
    past: (index) => `${base}:${twoDigits(index)}:past`,
    givenUp: `${base}:given-up`,
    pasts: `${base}:pasts`,
    ready: `${base}:ready`,
    charter: `${base}:charter`,
    notes: `${base}:notes`,
    lock: `${base}:lock`,
    member: (id) => `${base}:member-${id}`,
    presence: `${base}:presence`,
  };
}

const twoDigits = (index: number): string => String(index).padStart(2, '0');
