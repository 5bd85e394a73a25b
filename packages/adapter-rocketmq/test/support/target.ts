import { BrokerError, connectionsTo, ensureBroker, MissingTool, startPrivate } from '@anymq/brokers';
import { BrokerMissing, type ContractTarget, faultWays, versionOf } from '@anymq/contract-kit';
import { type RocketmqOptions, rocketmq } from '../../src/index.js';
import { parseLoose } from '../../src/internal/remoting-frames.js';
import { groupName } from '../../src/names.js';
import { nativePeer } from './native-peer.js';
import { remote } from './remote.js';

/** Where the shared broker is. */
export async function sharedBroker(): Promise<RocketmqOptions> {
  const { connection } = await ensureBroker('rocketmq').catch((error: unknown) => {
    throw error instanceof BrokerError ? new BrokerMissing(error.message) : error;
  });
  return connection as unknown as RocketmqOptions;
}

/** Not a secret: the broker listens on this machine alone, and for one run. */
const USER = { username: 'contract', password: 'contract-kit' };
/** A consumer closes when its polls have ended: every case would take as long as the shortest poll that a proxy grants. */
const POLL_MS = 1_000;

/**
 * RocketMQ as the contract kit needs it: a broker of its own, whose proxy can also be reached through fault proxies. Leases and
 * polls are short, so that cases that outlast them are not longer than they must be.
 */
export const target: ContractTarget = {
  name: 'rocketmq',
  async open() {
    const broker = await startPrivate('rocketmq', { credentials: USER, minPollMs: POLL_MS }).catch((error: unknown) => {
      throw error instanceof MissingTool ? new BrokerMissing(error.message) : error;
    });
    const { username: accessKey, password: secretKey } = USER;
    const options = {
      ...(broker.connection as unknown as RocketmqOptions),
      accessKey,
      secretKey,
      leaseMs: 15_000,
      pollMs: POLL_MS,
    };
    const [host = '', port] = options.endpoints.split(':');
    const ways = faultWays({ target: () => ({ host, port: Number(port) }), framing: 'http2' });
    return {
      configure: () => rocketmq(options),
      unreachable: () => rocketmq({ endpoints: '127.0.0.1:1' }),
      unauthorised: (secret) => rocketmq({ ...options, secretKey: secret }),
      firstDead: () => rocketmq({ ...options, endpoints: `127.0.0.1:1;${options.endpoints}` }),
      checking: () => rocketmq({ ...options, topology: 'check' }),
      limit: (namespace, topic, group) =>
        limit(options, broker.endpoints.broker ?? '', groupName(namespace, group, topic)),
      native: (namespace) => nativePeer(options, namespace),
      ways: 3,
      proxied: () => ways.open((address) => rocketmq({ ...options, endpoints: address })),
      process: () => ({
        module: new URL('./chaos.js', import.meta.url).href,
        connection: { ...options },
        unreachable: { endpoints: '127.0.0.1:1' },
      }),
      footprint: (namespace) => footprint(options, namespace, broker.endpoints),
      about: () => ({
        adapter: versionOf('@anymq/adapter-rocketmq', import.meta.url),
        client: versionOf('rocketmq-client-nodejs', import.meta.url),
        broker: broker.version,
      }),
      close: async () => {
        await ways.close();
        await broker.close();
      },
    };
  },
};

const UPDATE_GROUP = 200;
const ALL_GROUPS = 201;
const CONNECTIONS_OF_GROUP = 203;

async function footprint(
  options: RocketmqOptions,
  namespace: string,
  endpoints: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const portOf = (use: string): number => Number(endpoints[use]?.split(':')[1]);
  const [proxy, broker, nameServer] = ['proxy', 'broker', 'nameServer'].map((use) => connectionsTo(portOf(use)));
  const groups = await groupsOf(endpoints.broker ?? '', options, `${namespace}_`);
  return {
    'proxy connections': proxy ?? 0,
    'broker connections': broker ?? 0,
    'name server connections': nameServer ?? 0,
    ...groups,
  };
}

/** Given up at the second delivery: an administrator who knows nothing of AnyMQ lowers the group's `retryMaxTimes`. */
function limit(options: RocketmqOptions, address: string, group: string): Promise<void> {
  return remote(address, options, async (broker) => {
    const { subscriptionGroupTable } = parseLoose((await broker.call(ALL_GROUPS)).body) as {
      subscriptionGroupTable: Record<string, Record<string, unknown>>;
    };
    await broker.call(UPDATE_GROUP, {}, { ...subscriptionGroupTable[group], retryMaxTimes: 1 });
  });
}

/** How many begin so, and how many members they have. */
function groupsOf(
  address: string,
  options: RocketmqOptions,
  prefix: string,
): Promise<{ groups: number; members: number }> {
  return remote(address, options, async (broker) => {
    const { body } = await broker.call(ALL_GROUPS);
    const { subscriptionGroupTable } = parseLoose(body) as { subscriptionGroupTable: Record<string, unknown> };
    const counts = { groups: 0, members: 0 };
    for (const consumerGroup of Object.keys(subscriptionGroupTable)) {
      if (!consumerGroup.startsWith(prefix)) continue;
      counts.groups += 1;
      // Another answer than success: nobody of the group is there.
      const answer = await broker.ask(CONNECTIONS_OF_GROUP, { consumerGroup });
      if (answer.code === 0)
        counts.members += (parseLoose(answer.body) as { connectionSet: unknown[] }).connectionSet.length;
    }
    return counts;
  });
}
