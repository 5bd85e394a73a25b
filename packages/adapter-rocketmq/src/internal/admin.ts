import { crc32 } from 'node:zlib';
import type { Cluster, Master } from './cluster.js';
import { type Remoting, RemotingError } from './remoting.js';
import { parseLoose, parseObjectKeys, type RemotingAnswer } from './remoting-frames.js';

/** Request codes of the remoting protocol. */
const CODE = {
  committedOffset: 14,
  createTopic: 17,
  lockQueues: 41,
  unlockQueues: 42,
  putValue: 100,
  getValue: 101,
  deleteValue: 102,
  route: 105,
  createGroup: 200,
  deleteGroup: 207,
  deleteTopicOnBroker: 215,
  deleteTopicOnNameServer: 216,
  consumeStats: 208,
  listValues: 219,
  resetOffset: 222,
  topicConfig: 351,
} as const;

/** Answer codes. */
const NO_SUCH_TOPIC = 17;
const NO_PERMISSION = 16;
const NO_SUCH_VALUE = 22;
/** An attribute of topics, and a value of it. */
const CLEANUP = 'cleanup.policy';
const COMPACTED = 'COMPACTION';
/** Nobody has this topic. */
const PROBE_TOPIC = 'anymq-probe';

export type MessageType = 'FIFO' | 'NORMAL' | 'DELAY';

/** A topic that is to be. */
export interface NewTopic {
  readonly type: MessageType;
  /** On each broker; `one`: one on one of them. */
  readonly queues: number | 'one';
  /** The last message of each value of `KEYS` is kept for ever, of the others each until then. */
  readonly compacted: boolean;
}

/** A topic as the brokers have it. */
export interface TopicConfig {
  readonly type: string;
  /** On all brokers together. */
  readonly queues: number;
  readonly compacted: boolean;
}

/** What name servers and brokers are asked for, one method for one question. Creating things goes to every master. */
export class Admin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Name server and a broker answer, and the broker takes the credentials. */
  async ping(): Promise<void> {
    const first = await this.#cluster.firstMaster();
    const answer = await this.#cluster.master(first, (broker) => broker.ask(CODE.topicConfig, { topic: PROBE_TOPIC }));
    // A user without rights on this very topic is a user all the same.
    if (answer.code === NO_PERMISSION && !answer.remark.includes('permission'))
      throw new RemotingError(CODE.topicConfig, answer);
  }

  /** Undefined when no broker has the topic. One that is away does not matter as long as another has it. */
  async topic(topic: string): Promise<TopicConfig | undefined> {
    const asked = await this.#cluster.everyMaster((broker) => topicOn(broker, topic).catch((reason) => ({ reason })));
    let found: TopicConfig | undefined;
    let failure: { readonly reason: unknown } | undefined;
    for (const each of asked) {
      if (each === undefined) continue;
      if ('reason' in each) failure = each;
      else found = { ...each, queues: (found?.queues ?? 0) + each.queues };
    }
    if (found === undefined && failure !== undefined) throw failure.reason;
    return found;
  }

  /** A topic of one lane goes to the same broker whoever creates it, as long as all see the same brokers. */
  async createTopic(topic: string, { type, queues, compacted }: NewTopic): Promise<void> {
    const masters = await this.#cluster.masters();
    const chosen = queues === 'one' ? [masters[crc32(topic) % masters.length] as Master] : masters;
    const count = queues === 'one' ? 1 : queues;
    const fields = {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: count,
      writeQueueNums: count,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
      attributes: `+message.type=${type}${compacted ? `,+${CLEANUP}=${COMPACTED}` : ''}`,
    };
    const create = (broker: Remoting) => broker.call(CODE.createTopic, fields);
    await Promise.all(chosen.map((master) => this.#cluster.master(master, create)));
  }

  /** The name servers know where the topic is. */
  async hasRoute(topic: string): Promise<boolean> {
    const { code } = await this.#cluster.nameServer((server) => server.ask(CODE.route, { topic }));
    return code === 0;
  }

  /** A group that the broker never gives up on: attempts are counted and judged above it. */
  async createGroup(group: string, ordered: boolean): Promise<void> {
    const config = {
      groupName: group,
      consumeEnable: true,
      consumeFromMinEnable: true,
      consumeBroadcastEnable: true,
      consumeMessageOrderly: ordered,
      retryQueueNums: 1,
      retryMaxTimes: 1_000_000,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      notifyConsumerIdsChangedEnable: true,
      groupSysFlag: 0,
      consumeTimeoutMinute: 15,
    };
    await this.#cluster.everyMaster((broker) => broker.call(CODE.createGroup, {}, config));
  }

  /** Takes a group away, with its positions and its retry topic. Nobody may receive for it any more. */
  async removeGroup(group: string): Promise<void> {
    const topic = `%RETRY%${group}`;
    await this.#cluster.everyMaster(async (broker) => {
      await broker.call(CODE.deleteGroup, { groupName: group, cleanOffset: true });
      await broker.ask(CODE.deleteTopicOnBroker, { topic });
    });
    await this.#cluster.nameServers((server) => server.ask(CODE.deleteTopicOnNameServer, { topic }));
  }

  /** True when the group stands somewhere on the topic: it was set up, and nobody took it away from the broker since. */
  async hasPosition(topic: string, group: string): Promise<boolean> {
    return (await this.#cluster.everyMaster((broker) => this.#stands(broker, topic, group))).includes(true);
  }

  /** A position that stands is what the group has done: it is never moved. */
  async startFrom(topic: string, group: string, position: 'earliest' | 'latest'): Promise<void> {
    const timestamp = position === 'latest' ? -1 : 0;
    await this.#cluster.everyMaster(async (broker) => {
      if (await this.#stands(broker, topic, group)) return;
      const answer = await broker.ask(CODE.resetOffset, { topic, group, timestamp, isForce: true });
      // A topic of one lane is on one of the brokers only.
      if (answer.code !== 0 && answer.code !== NO_SUCH_TOPIC) throw new RemotingError(CODE.resetOffset, answer);
    });
  }

  async #stands(broker: Remoting, topic: string, group: string): Promise<boolean> {
    // The last field: 0 is no answer for a group that the broker has never seen.
    const fields = { consumerGroup: group, topic, queueId: 0, setZeroIfNotFound: false };
    const answer = await broker.ask(CODE.committedOffset, fields);
    if (answer.code !== 0 && answer.code !== NO_SUCH_VALUE) throw new RemotingError(CODE.committedOffset, answer);
    return answer.code === 0;
  }

  /** Messages that were not delivered to the group yet. */
  async undelivered(topic: string, group: string): Promise<number> {
    const answers = await this.#cluster.everyMaster((broker) =>
      broker.ask(CODE.consumeStats, { consumerGroup: group, topic }),
    );
    let sum = 0;
    for (const answer of answers) {
      if (answer.code !== 0) throw new RemotingError(CODE.consumeStats, answer);
      for (const [, value] of parseObjectKeys(answer.body)) {
        const { brokerOffset, consumerOffset } = value as { brokerOffset: number; consumerOffset: number };
        sum += Math.max(0, brokerOffset - Math.max(0, consumerOffset));
      }
    }
    return sum;
  }

  /** True when `owner` has the group's lock now. A lock that is not given back ends after a minute. */
  async tryLock(topic: string, group: string, owner: string): Promise<boolean> {
    const { body } = await this.#lock(CODE.lockQueues, topic, group, owner);
    return ((parseLoose(body) as { lockOKMQSet?: unknown[] }).lockOKMQSet ?? []).length > 0;
  }

  async unlock(topic: string, group: string, owner: string): Promise<void> {
    await this.#lock(CODE.unlockQueues, topic, group, owner);
  }

  /** A small durable value that all name servers keep. */
  async get(namespace: string, key: string): Promise<string | undefined> {
    const answer = await this.#cluster.nameServer((server) => server.ask(CODE.getValue, { namespace, key }));
    if (answer.code === NO_SUCH_VALUE) return undefined;
    if (answer.code !== 0) throw new RemotingError(CODE.getValue, answer);
    return answer.fields.value;
  }

  /** All values of a namespace, by key. */
  async list(namespace: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#cluster.nameServer((server) => server.ask(CODE.listValues, { namespace }));
    if (answer.code === NO_SUCH_VALUE) return {};
    if (answer.code !== 0) throw new RemotingError(CODE.listValues, answer);
    return (parseLoose(answer.body) as { table?: Record<string, string> }).table ?? {};
  }

  async put(namespace: string, key: string, value: string): Promise<void> {
    await this.#cluster.nameServers((server) => server.call(CODE.putValue, { namespace, key, value }));
  }

  async delete(namespace: string, key: string): Promise<void> {
    await this.#cluster.nameServers((server) => server.call(CODE.deleteValue, { namespace, key }));
  }

  /** The lock on queues is for ordered consumers of the old protocol; ours use none, so one queue of it is free to be a lock. */
  async #lock(code: number, topic: string, consumerGroup: string, clientId: string): Promise<RemotingAnswer> {
    const first = await this.#cluster.firstMaster();
    const mqSet = [{ topic, brokerName: first.name, queueId: 0 }];
    const body = { consumerGroup, clientId, mqSet, onlyThisBroker: true };
    return this.#cluster.master(first, (broker) => broker.call(code, {}, body));
  }
}

async function topicOn(broker: Remoting, topic: string): Promise<TopicConfig | undefined> {
  const answer = await broker.ask(CODE.topicConfig, { topic });
  if (answer.code === NO_SUCH_TOPIC) return undefined;
  if (answer.code !== 0) throw new RemotingError(CODE.topicConfig, answer);
  const { attributes, writeQueueNums } = parseLoose(answer.body) as {
    attributes?: Record<string, string>;
    writeQueueNums: number;
  };
  const type = attributes?.['message.type'] ?? 'NORMAL';
  return { type, queues: writeQueueNums, compacted: attributes?.[CLEANUP] === COMPACTED };
}
