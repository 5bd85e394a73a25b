import { MessagingError, type ReceiverSpec, type TopicSpec } from '@anymq/core/adapter';
import type { Engine } from './internal/engine.js';
import { Group } from './internal/group.js';
import type { StoredTopic } from './internal/topic.js';
import { groupName, topicName } from './names.js';

/** The topic, created where missing. Throws `CONFLICT` when it exists with other settings. */
export function ensureTopic(engine: Engine, namespace: string, { name, keyed, history }: TopicSpec): StoredTopic {
  const topic = engine.topic(topicName(namespace, name), { keyed, history });
  const there = describe(topic.settings);
  const asked = describe({ keyed, history });
  if (there === asked) return topic;
  throw conflict(
    `Topic '${name}' exists as ${there}, asked was ${asked}. Define it the same way everywhere, or choose another name.`,
  );
}

/** The group, created where missing, its start fixed. Throws `CONFLICT` when its members agreed on something else. */
export function ensureGroup(engine: Engine, namespace: string, spec: ReceiverSpec): Group {
  const topic = ensureTopic(engine, namespace, spec.topic);
  const name = groupName(namespace, spec.group);
  let group = topic.groups.get(name);
  if (group === undefined) {
    group = new Group(engine, topic, name, spec.charter, spec.startFrom);
    topic.groups.set(name, group);
  }
  if (group.charter === spec.charter) return group;
  throw conflict(
    `Group '${spec.group}' on topic '${spec.topic.name}' agreed on '${group.charter}', this member brings '${spec.charter}'. Subscribe the same way in every member, or use another group.`,
  );
}

const describe = ({ keyed, history }: Pick<TopicSpec, 'keyed' | 'history'>): string =>
  `${keyed ? 'keyed' : 'not keyed'} with history '${history}'`;

const conflict = (message: string): MessagingError => new MessagingError('CONFLICT', message, { adapter: 'memory' });
