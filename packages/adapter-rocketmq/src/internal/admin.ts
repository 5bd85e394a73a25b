import type { AdapterRuntime } from '@anymq/core/adapter';
import type { ParsedOptions } from '../options.js';
import { Remoting, RemotingError } from './remoting.js';
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
  clusterInfo: 106,
  createGroup: 200,
  consumeStats: 208,
  resetOffset: 222,
  topicConfig: 351,
} as const;

/** Answer codes. */
const NO_SUCH_TOPIC = 17;
const NO_PERMISSION = 16;
const NO_SUCH_VALUE = 22;
const MASTER = '0';
/** Nobody has this topic. */
const PROBE_TOPIC = 'anymq-probe';

export type MessageType = 'FIFO' | 'NORMAL';

/** What name servers and brokers are asked for, one method for one question. Creating things goes to every master. */
export class Admin {
  readonly #settings: ConstructorParameters<typeof Remoting>[1];
  readonly #nameServers: readonly string[];
  readonly #connections = new Map<string, Remoting>();

  constructor({ nameServers, accessKey, secretKey, requestTimeoutMs }: ParsedOptions, { clock }: AdapterRuntime) {
    const credentials = accessKey === undefined || secretKey === undefined ? undefined : { accessKey, secretKey };
    this.#settings = { clock, credentials, timeoutMs: requestTimeoutMs };
    this.#nameServers = nameServers;
  }

  /** Name server and a broker answer, and the broker takes the credentials. */
  async ping(): Promise<void> {
    const [broker] = await this.#masters();
    const answer = await this.#to(broker?.address ?? '').ask(CODE.topicConfig, { topic: PROBE_TOPIC });
    // A user without rights on this very topic is a user all the same.
    if (answer.code === NO_PERMISSION && !answer.remark.includes('permission'))
      throw new RemotingError(CODE.topicConfig, answer);
  }

  /** What type a topic has, undefined when there is none. */
  async typeOf(topic: string): Promise<string | undefined> {
    const [broker] = await this.#masters();
    const answer = await this.#to(broker?.address ?? '').ask(CODE.topicConfig, { topic });
    if (answer.code === NO_SUCH_TOPIC) return undefined;
    if (answer.code !== 0) throw new RemotingError(CODE.topicConfig, answer);
    const { attributes } = parseLoose(answer.body) as { attributes?: Record<string, string> };
    return attributes?.['message.type'] ?? 'NORMAL';
  }

  async createTopic(topic: string, type: MessageType, queues: number): Promise<void> {
    const fields = {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
      attributes: `+message.type=${type}`,
    };
    await this.#onMasters((broker) => broker.call(CODE.createTopic, fields));
  }

  /** The name servers know where the topic is. */
  async hasRoute(topic: string): Promise<boolean> {
    const { code } = await this.#nameServer((server) => server.ask(CODE.route, { topic }));
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
    await this.#onMasters((broker) => broker.call(CODE.createGroup, {}, config));
  }

  /** True when the group stands somewhere on the topic: it was set up, and nobody took it away from the broker since. */
  async hasPosition(topic: string, group: string): Promise<boolean> {
    return (await this.#onMasters((broker) => this.#stands(broker, topic, group))).includes(true);
  }

  /** A position that stands is what the group has done: it is never moved. */
  async startFrom(topic: string, group: string, position: 'earliest' | 'latest'): Promise<void> {
    const timestamp = position === 'latest' ? -1 : 0;
    await this.#onMasters(async (broker) => {
      if (await this.#stands(broker, topic, group)) return;
      await broker.call(CODE.resetOffset, { topic, group, timestamp, isForce: true });
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
    const answers = await this.#onMasters((broker) => broker.ask(CODE.consumeStats, { consumerGroup: group, topic }));
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
    const answer = await this.#nameServer((server) => server.ask(CODE.getValue, { namespace, key }));
    if (answer.code === NO_SUCH_VALUE) return undefined;
    if (answer.code !== 0) throw new RemotingError(CODE.getValue, answer);
    return answer.fields.value;
  }

  async put(namespace: string, key: string, value: string): Promise<void> {
    await Promise.all(
      this.#nameServers.map((address) => this.#to(address).call(CODE.putValue, { namespace, key, value })),
    );
  }

  async delete(namespace: string, key: string): Promise<void> {
    await Promise.all(this.#nameServers.map((address) => this.#to(address).call(CODE.deleteValue, { namespace, key })));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    this.#connections.clear();
  }

  /** The lock on queues is for ordered consumers of the old protocol; ours use none, so one queue of it is free to be a lock. */
  async #lock(code: number, topic: string, group: string, owner: string): Promise<RemotingAnswer> {
    const [broker] = await this.#masters();
    const mqSet = [{ topic, brokerName: broker?.name, queueId: 0 }];
    return this.#to(broker?.address ?? '').call(
      code,
      {},
      { consumerGroup: group, clientId: owner, mqSet, onlyThisBroker: true },
    );
  }

  async #onMasters<T>(ask: (broker: Remoting) => Promise<T>): Promise<T[]> {
    return Promise.all((await this.#masters()).map(({ address }) => ask(this.#to(address))));
  }

  /** Asked anew each time: masters move, and this is asked seldom. */
  async #masters(): Promise<{ readonly name: string; readonly address: string }[]> {
    const { body } = await this.#nameServer((server) => server.call(CODE.clusterInfo));
    const { brokerAddrTable = {} } = parseLoose(body) as {
      brokerAddrTable?: Record<string, { brokerAddrs: Record<string, string> }>;
    };
    const masters = Object.entries(brokerAddrTable).flatMap(([name, { brokerAddrs }]) => {
      const address = brokerAddrs[MASTER];
      return address === undefined ? [] : [{ name, address }];
    });
    if (masters.length > 0) return masters.sort((a, b) => (a.name < b.name ? -1 : 1));
    throw Object.assign(new Error('the name server knows no broker yet'), { code: 'ECONNREFUSED' });
  }

  /** The first name server that answers. */
  async #nameServer<T>(ask: (server: Remoting) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const address of this.#nameServers) {
      try {
        return await ask(this.#to(address));
      } catch (error) {
        if (error instanceof RemotingError) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #to(address: string): Remoting {
    let connection = this.#connections.get(address);
    if (connection === undefined) {
      connection = new Remoting(address, this.#settings);
      this.#connections.set(address, connection);
    }
    return connection;
  }
}
