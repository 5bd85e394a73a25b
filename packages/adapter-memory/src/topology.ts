import { type GroupStanding, MessagingError, type ReceiverSpec, type TopicSpec } from '@anymq/core/adapter';
import type { Engine } from './internal/engine.js';
import { Group } from './internal/group.js';
import type { StoredTopic, TopicSettings } from './internal/topic.js';
import { groupName, portableName, topicName } from './names.js';

/** What to do about what is missing. */
export type Creation = 'create' | 'check';

/** The topic, created where missing, unless it is only to be checked. Throws `CONFLICT` when it exists with other settings. */
export function ensureTopic(engine: Engine, namespace: string, spec: TopicSpec, creation: Creation): StoredTopic {
  const { name } = spec;
  const settings = settingsOf(spec);
  if (creation === 'check' && engine.find(topicName(namespace, name)) === undefined) throw missing(`Topic '${name}'`);
  const topic = engine.topic(topicName(namespace, name), settings);
  const there = describe(topic.settings);
  const asked = describe(settings);
  if (there === asked) return topic;
  throw conflict(
    `Topic '${name}' exists as ${there}, asked was ${asked}. Define it the same way everywhere, or choose another name.`,
  );
}

/** The group, created where missing, its start fixed. Throws `CONFLICT` when its members agreed on something else. */
export function ensureGroup(engine: Engine, namespace: string, spec: ReceiverSpec, creation: Creation): Group {
  const topic = ensureTopic(engine, namespace, spec.topic, creation);
  const name = groupName(namespace, spec.group);
  let group = topic.groups.get(name);
  if (group === undefined) {
    if (creation === 'check') throw missing(`Group '${spec.group}' on topic '${spec.topic.name}'`);
    group = new Group(engine, topic, name, spec);
    topic.groups.set(name, group);
  }
  if (group.charter === spec.charter) return group;
  throw conflict(
    `Group '${spec.group}' on topic '${spec.topic.name}' agreed on '${group.charter}', this member brings '${spec.charter}'. Subscribe the same way in every member, or use another group.`,
  );
}

/** Portable names of the topics in the namespace. */
export const topicsOf = (engine: Engine, namespace: string): readonly string[] =>
  engine.topics().flatMap((name) => portableName(namespace, name) ?? []);

/** How the groups of a topic stand. Throws `NOT_FOUND` when there is no such topic. */
export function groupsOf(engine: Engine, namespace: string, topic: string): readonly GroupStanding[] {
  const found = engine.find(topicName(namespace, topic));
  if (found === undefined) {
    const known = topicsOf(engine, namespace).join(', ') || 'none yet';
    throw new MessagingError('NOT_FOUND', `There is no topic '${topic}'; there are: ${known}.`, { adapter: 'memory' });
  }
  const prefix = groupName(namespace, '').length;
  return [...found.groups.values()].map(({ name, members, lag, inFlight }) => ({
    group: name.slice(prefix),
    members,
    lag,
    inFlight,
  }));
}

function settingsOf({ keyed, history, oneLane = false, retention = 'by-age' }: TopicSpec): TopicSettings {
  return { keyed, history, oneLane, retention };
}

function describe({ keyed, history, oneLane, retention }: TopicSettings): string {
  const lanes = oneLane ? ', in one lane' : '';
  const kept = retention === 'last-of-key' ? ', keeping the last message of each key' : '';
  return `${keyed ? 'keyed' : 'not keyed'} with history '${history}'${lanes}${kept}`;
}

/** @param what begins a sentence */
function missing(what: string): MessagingError {
  const message = `${what} does not exist, and option topology: 'check' creates none.`;
  return new MessagingError('NOT_FOUND', message, { adapter: 'memory' });
}

const conflict = (message: string): MessagingError => new MessagingError('CONFLICT', message, { adapter: 'memory' });
