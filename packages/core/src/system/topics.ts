/** Core's own topics. Their names stand under `anymq.`, which no user's topic may begin with. */
import { createHash } from 'node:crypto';
import type { TopicSpec } from '../adapter/spi.js';
import { bytes, type Codec } from '../codec.js';
import type { TopicDefinition } from '../topic.js';

/** What begins the names of core's own topics. */
export const SYSTEM = 'anymq.';
/** The group that works on topics which every process of a namespace may serve. */
export const SYSTEM_GROUP = 'anymq';

/** What a topic of core's own has, whatever it is for. Its records are parcels: they say themselves what they are. */
const PLAIN = Object.freeze({ envelope: 'lean', type: 'parcel', contentType: 'application/octet-stream' });

export type History = TopicSpec['history'];

/**
 * Where a group gets what is for it alone: retries that let others pass, and redriven dead letters. With history 'none' its
 * group must exist before anything is sent there.
 */
export const inboxOf = (topic: string, group: string, history: History): TopicSpec =>
  Object.freeze({ ...PLAIN, history, name: systemName('inbox', topic, group), keyed: false });

/** Where a group's dead letters are kept, by their ids. */
export const ledgerOf = (topic: string, group: string): TopicSpec => ledger(systemName('dead', topic, group));

/** A topic that keeps the last record of each key, in one order. */
export const ledger = (name: string): TopicSpec =>
  Object.freeze({ ...PLAIN, history: 'full', name, keyed: true, oneLane: true, retention: 'last-of-key' });

/** A topic that one process at a time works through, in order. */
export const line = (name: string, history: History): TopicSpec =>
  Object.freeze({ ...PLAIN, history, name, keyed: true, oneLane: true });

/** A topic of which the broker itself holds back what is not due. */
export const delayed = (name: string, history: History): TopicSpec =>
  Object.freeze({ ...PLAIN, history, name, keyed: false, delayed: true });

/** A topic as outlets want it, for records that are encoded and checked already. */
export function systemTopic(spec: TopicSpec): TopicDefinition {
  return { schema: ANYTHING, key: undefined, codec: bytes() as Codec, spec };
}

const ANYTHING: TopicDefinition['schema'] = {
  '~standard': { version: 1, vendor: 'anymq', validate: (value: unknown) => ({ value }) },
};

/**
 * Readable, at most 100 characters, and different for what is different: the ends of long names are cut, the hash is of
 * the whole.
 */
function systemName(kind: string, topic: string, group: string): string {
  const hash = createHash('sha256').update(`${topic}\0${group}`).digest('hex').slice(0, 12);
  return `${SYSTEM}${kind}.${cut(topic, 45)}.${cut(group, 25)}.${hash}`;
}

/** A part of a name must not end in a separator. */
const cut = (name: string, length: number): string => name.slice(0, length).replace(/[.-]+$/, '');
