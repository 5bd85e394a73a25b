import {
  type AdapterRuntime,
  type GroupStanding,
  MessagingError,
  type ReceiverSpec,
  sleep,
  type TopicSpec,
} from '@anymq/core/adapter';
import { fault } from './errors.js';
import { Admin, type MessageType, type NewTopic, type TopicConfig } from './internal/admin.js';
import { Cluster } from './internal/cluster.js';
import { Instances } from './internal/instances.js';
import { type ReadableQueues, Survey } from './internal/survey.js';
import { givenUpGroup, givenUpTopic, groupName, portableGroup, portableTopic, topicName } from './names.js';
import type { ParsedOptions } from './options.js';

const CHARTERS = 'ANYMQ_CHARTERS';
const ATTEMPTS = 'ANYMQ_ATTEMPTS';
const ROUTE_TIMEOUT_MS = 10_000;
const ROUTE_POLL_MS = 5;
const LOCK_TIMEOUT_MS = 70_000;
const LOCK_POLL_MS = 50;

/** What is known about one message of a group. */
export interface Note {
  /** Failed handler calls; negative: it was settled. */
  readonly attempts: number;
  readonly queue: string;
  readonly offset: number;
}

/** Notes by message, kept on the name servers: there are some only for what failed, or was settled out of order by who left. */
export interface AttemptNotes {
  note(group: string, id: string, note: Note): Promise<void>;
  read(group: string, id: string): Promise<number>;
  /** All of a group, by message. */
  all(group: string): Promise<ReadonlyMap<string, Note>>;
  forget(group: string, id: string): Promise<void>;
}

/** Topics and groups on the broker, created where they are missing. */
export class Topology {
  readonly attempts: AttemptNotes;
  readonly #options: ParsedOptions;
  readonly #runtime: AdapterRuntime;
  readonly #cluster: Cluster;
  readonly #admin: Admin;
  readonly #survey: Survey;
  readonly #instances: Instances;
  readonly #topics = new Map<string, Promise<string>>();

  constructor(options: ParsedOptions, runtime: AdapterRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#cluster = new Cluster(options, runtime);
    this.#admin = new Admin(this.#cluster);
    this.#survey = new Survey(this.#cluster);
    this.#instances = new Instances(this.#admin, runtime);
    this.attempts = attemptNotes(this.#admin);
  }

  ping(): Promise<void> {
    return this.#admin.ping();
  }

  /** Resolves with the broker's name of the topic. Rejects with `CONFLICT` when it exists with another type. */
  topic(spec: TopicSpec): Promise<string> {
    const key = [spec.name, typeOf(spec), spec.oneLane === true, isLedger(spec)].join(' ');
    let known = this.#topics.get(key);
    if (known === undefined) {
      known = this.#topic(spec).catch((error) => {
        this.#topics.delete(key);
        throw error;
      });
      this.#topics.set(key, known);
    }
    return known;
  }

  /**
   * Creates the group and its start position, once among all members, and resolves with its name on the broker. The charter is
   * written last: where it stands, all else does. Rejects with `CONFLICT` when the members agreed on another one.
   */
  async group(spec: ReceiverSpec, topic: string): Promise<string> {
    const name = groupName(this.#runtime.namespace, spec.group, spec.topic.name);
    if (spec.ephemeral === true) return this.#alone(spec, topic, name);
    const charter = (await this.#standing(spec, topic, name)) ?? (await this.#make(spec, topic, name));
    if (charter === spec.charter) return name;
    const message = `Group '${spec.group}' on topic '${spec.topic.name}' was joined with '${spec.charter}', but its members agreed on '${charter}'. Use the same settings in all members, or another group.`;
    throw new MessagingError('CONFLICT', message, { adapter: 'rocketmq' });
  }

  /** Whether the broker has given up anything of `group`, its name on the broker. */
  async hasGivenUp(group: string): Promise<boolean> {
    return (await this.#admin.topic(givenUpTopic(group))) !== undefined;
  }

  /** The group that receives what the broker has given up of `group`. Names on the broker; the topic is there. */
  async givenUp(group: string): Promise<{ readonly topic: string; readonly group: string }> {
    const names = { topic: givenUpTopic(group), group: givenUpGroup(this.#runtime.namespace, group) };
    await this.#admin.createGroup(names.group, false);
    await this.#admin.startFrom(names.topic, names.group, 'earliest');
    return names;
  }

  /** Takes an ephemeral group away. */
  async removeGroup(group: string): Promise<void> {
    await this.#instances.remove(group);
  }

  /** Only the brokers are asked: a proxy would remember for 20 s that the topic is not there. */
  async exists(name: string): Promise<boolean> {
    const found = await this.#admin.topic(topicName(this.#runtime.namespace, name));
    if (found === undefined) this.#forget(name);
    return found !== undefined;
  }

  async topics(): Promise<readonly string[]> {
    const names = (await this.#survey.topicNames()).map((each) => portableTopic(this.#runtime.namespace, each));
    return names.filter((each) => each !== undefined).sort();
  }

  async groups(name: string): Promise<readonly GroupStanding[]> {
    const { namespace } = this.#runtime;
    const topic = topicName(namespace, name);
    if (!(await this.exists(name))) throw fault('NOT_FOUND', `Topic '${name}' does not exist on RocketMQ.`);
    const standings = (await this.#survey.groupNames(topic)).map(async (each) => {
      const group = portableGroup(namespace, each, name);
      return group === undefined ? [] : [await this.#standingOf(group, topic, each)];
    });
    return (await Promise.all(standings)).flat().sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  /** Where the queues of a topic can be read. */
  readable(topic: string): Promise<readonly ReadableQueues[]> {
    return this.#survey.readable(topic);
  }

  lag(topic: string, group: string): Promise<number> {
    return this.#admin.undelivered(topic, group);
  }

  close(): Promise<void> {
    this.#instances.close();
    return this.#cluster.close();
  }

  /** Whoever needs it next makes it again. */
  #forget(name: string): void {
    for (const key of this.#topics.keys()) if (key.startsWith(`${name} `)) this.#topics.delete(key);
  }

  /** Nobody else knows the name: there is nothing to agree on. */
  async #alone(spec: ReceiverSpec, topic: string, group: string): Promise<string> {
    if (this.#options.topology === 'check') throw missing(`The broadcast group '${spec.group}'`);
    await this.#instances.add(group);
    await this.#admin.createGroup(group, spec.topic.keyed);
    await this.#admin.startFrom(topic, group, 'latest');
    return group;
  }

  async #topic(spec: TopicSpec): Promise<string> {
    const { name } = spec;
    const topic = topicName(this.#runtime.namespace, name);
    // The broker is asked, not the proxy: that one remembers for 20 s that a topic is not there.
    const found = await this.#admin.topic(topic);
    if (found !== undefined) agree(spec, found);
    else if (this.#options.topology === 'check') throw missing(`Topic '${name}'`);
    else await this.#admin.createTopic(topic, this.#wanted(spec));
    await this.#poll(
      () => this.#admin.hasRoute(topic),
      ROUTE_POLL_MS,
      ROUTE_TIMEOUT_MS,
      `the route of topic '${name}'`,
    );
    return topic;
  }

  #wanted(spec: TopicSpec): NewTopic {
    const queues = spec.oneLane === true ? 'one' : this.#options.queues;
    return { type: typeOf(spec), queues, compacted: isLedger(spec) };
  }

  async #standingOf(group: string, topic: string, name: string): Promise<GroupStanding> {
    const [members, lag] = await Promise.all([this.#survey.members(name), this.#admin.undelivered(topic, name)]);
    return { group, members, lag };
  }

  /** The charter of a group that needs nothing more, or that `spec` does not agree with. */
  async #standing({ charter }: ReceiverSpec, topic: string, group: string): Promise<string | undefined> {
    const written = await this.#admin.get(CHARTERS, group);
    if (written !== charter) return written;
    // Somebody may have deleted the group: joining would bring it back with the broker's defaults, without any order.
    return (await this.#admin.hasPosition(topic, group)) ? written : undefined;
  }

  async #make(spec: ReceiverSpec, topic: string, name: string): Promise<string> {
    if (this.#options.topology === 'check') throw missing(`Group '${spec.group}' on topic '${spec.topic.name}'`);
    return this.#withLock(topic, name, () => this.#found(spec, topic, name));
  }

  /** Sets a group up. Resolves with the charter that stands, which another member may have written meanwhile. */
  async #found(spec: ReceiverSpec, topic: string, group: string): Promise<string> {
    const standing = await this.#standing(spec, topic, group);
    if (standing !== undefined) return standing;
    await this.#admin.createGroup(group, spec.topic.keyed);
    await this.#admin.startFrom(topic, group, spec.startFrom);
    await this.#admin.put(CHARTERS, group, spec.charter);
    return spec.charter;
  }

  async #withLock<T>(topic: string, group: string, work: () => Promise<T>): Promise<T> {
    const owner = `anymq-${this.#runtime.random().toString(36).slice(2)}-${this.#runtime.random().toString(36).slice(2)}`;
    await this.#poll(
      () => this.#admin.tryLock(topic, group, owner),
      LOCK_POLL_MS,
      LOCK_TIMEOUT_MS,
      `the lock of group '${group}'`,
    );
    try {
      return await work();
    } finally {
      // It ends by itself after a minute if this does not get through.
      await this.#admin.unlock(topic, group, owner).catch(() => {});
    }
  }

  async #poll(holds: () => Promise<boolean>, everyMs: number, timeoutMs: number, what: string): Promise<void> {
    const { clock } = this.#runtime;
    const deadline = clock.monotonic() + timeoutMs;
    while (!(await holds())) {
      if (clock.monotonic() > deadline)
        throw new MessagingError('TIMEOUT', `RocketMQ did not give ${what} within ${timeoutMs} ms.`, {
          adapter: 'rocketmq',
        });
      await sleep(clock, everyMs);
    }
  }
}

const typeOf = ({ keyed, delayed }: TopicSpec): MessageType => {
  if (keyed) return 'FIFO';
  return delayed === true ? 'DELAY' : 'NORMAL';
};

const isLedger = ({ retention }: TopicSpec): boolean => retention === 'last-of-key';

/** @throws {MessagingError} `CONFLICT` when the topic is not as it was asked for */
function agree(spec: TopicSpec, { type, queues, compacted }: TopicConfig): void {
  const wanted = typeOf(spec);
  let found: string | undefined;
  if (type !== wanted) {
    found = `message type ${type}, asked for was ${wanted} (a topic with a key is FIFO, one of delayed messages DELAY, another one NORMAL)`;
  } else if (spec.oneLane === true && queues !== 1) found = `${queues} queues, asked for was one`;
  else if (isLedger(spec) && !compacted)
    found = `another attribute cleanup.policy than COMPACTION, which was asked for`;
  if (found === undefined) return;
  const message = `Topic '${spec.name}' exists on RocketMQ with ${found}. Use the same definition everywhere, or another topic name.`;
  throw new MessagingError('CONFLICT', message, { adapter: 'rocketmq' });
}

/** @param what begins a sentence */
function missing(what: string): MessagingError {
  const message = `${what} does not exist on RocketMQ, and option topology: 'check' creates none.`;
  return new MessagingError('NOT_FOUND', message, { adapter: 'rocketmq' });
}

function attemptNotes(admin: Admin): AttemptNotes {
  const folder = (group: string): string => `${ATTEMPTS} ${group}`;
  return {
    note: (group, id, { attempts, queue, offset }) => admin.put(folder(group), id, `${attempts} ${offset} ${queue}`),
    read: async (group, id) => parseNote((await admin.get(folder(group), id)) ?? '').attempts,
    all: async (group) => {
      const notes = Object.entries(await admin.list(folder(group)));
      return new Map(notes.map(([id, text]) => [id, parseNote(text)]));
    },
    forget: (group, id) => admin.delete(folder(group), id),
  };
}

function parseNote(text: string): Note {
  const [attempts, offset, ...queue] = text.split(' ');
  return { attempts: Number(attempts), offset: Number(offset), queue: queue.join(' ') };
}
