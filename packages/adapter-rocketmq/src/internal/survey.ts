import type { Cluster } from './cluster.js';
import { RemotingError } from './remoting.js';
import { parseLoose } from './remoting-frames.js';

/** Request codes of the remoting protocol. */
const CODE = { route: 105, membersOfGroup: 203, allTopics: 206, groupsOfTopic: 300 } as const;
/** Nobody of a group is connected. */
const NOBODY_THERE = 206;
const READABLE = 4;
const MASTER = '0';

/** Queues of a topic on one broker. */
export interface ReadableQueues {
  readonly broker: string;
  /** Of its master; undefined while there is none. */
  readonly address: string | undefined;
  readonly count: number;
}

/** What there is, and who is there. Changes nothing. */
export class Survey {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Names of all topics, of whomever. */
  async topicNames(): Promise<readonly string[]> {
    const { body } = await this.#cluster.nameServer((server) => server.call(CODE.allTopics));
    return (parseLoose(body) as { topicList?: string[] }).topicList ?? [];
  }

  /** Names of the groups that have a position on the topic, of whomever. */
  async groupNames(topic: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const answer of await this.#cluster.everyMaster((broker) => broker.ask(CODE.groupsOfTopic, { topic }))) {
      if (answer.code !== 0) throw new RemotingError(CODE.groupsOfTopic, answer);
      for (const name of (parseLoose(answer.body) as { groupList?: string[] }).groupList ?? []) names.add(name);
    }
    return [...names];
  }

  /** How many clients of a group the brokers see. */
  async members(consumerGroup: string): Promise<number> {
    const clients = new Set<string>();
    for (const answer of await this.#cluster.everyMaster((broker) =>
      broker.ask(CODE.membersOfGroup, { consumerGroup }),
    )) {
      if (answer.code === NOBODY_THERE) continue;
      if (answer.code !== 0) throw new RemotingError(CODE.membersOfGroup, answer);
      const { connectionSet = [] } = parseLoose(answer.body) as { connectionSet?: { clientId: string }[] };
      for (const { clientId } of connectionSet) clients.add(clientId);
    }
    return clients.size;
  }

  /** Where the queues of a topic can be read. */
  async readable(topic: string): Promise<readonly ReadableQueues[]> {
    const { body } = await this.#cluster.nameServer((server) => server.call(CODE.route, { topic }));
    const { brokerDatas = [], queueDatas = [] } = parseLoose(body) as Route;
    const addresses = new Map(brokerDatas.map(({ brokerName, brokerAddrs }) => [brokerName, brokerAddrs[MASTER]]));
    return queueDatas
      .filter(({ perm }) => (perm & READABLE) !== 0)
      .map(({ brokerName, readQueueNums }) => {
        return { broker: brokerName, address: addresses.get(brokerName), count: readQueueNums };
      });
  }
}

/** What a name server knows of a topic. */
interface Route {
  readonly brokerDatas?: readonly { readonly brokerName: string; readonly brokerAddrs: Record<string, string> }[];
  readonly queueDatas?: readonly {
    readonly brokerName: string;
    readonly readQueueNums: number;
    readonly perm: number;
  }[];
}
