import { connectionsTo, MissingTool, startPrivate } from '@anymq/brokers';
import {
  BrokerMissing,
  type ContractTarget,
  createFaultProxy,
  type FaultProxy,
  type NativeMessage,
  type NativePeer,
  type ProxiedWay,
  versionOf,
} from '@anymq/contract-kit';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { kafka } from '../../src/index.js';
import { plainKafka, unique } from './harness.js';

/** Not a secret: the broker listens on this machine alone, and for one run. */
const USER = { username: 'contract', password: 'contract-kit' };
/** Each with a listener of its own: a listener advertises one address. */
const WAYS = 3;

/** Kafka as the contract kit needs it: a broker of its own, with listeners behind fault proxies. */
export const target: ContractTarget = {
  name: 'kafka',
  async open() {
    const behind: number[] = [];
    const proxies = await Promise.all(
      Array.from({ length: WAYS }, (_, way) =>
        createFaultProxy({ target: () => ({ host: '127.0.0.1', port: behind[way] as number }), framing: 'kafka' }),
      ),
    );
    const broker = await startPrivate('kafka', {
      advertised: proxies.map(({ address }) => address),
      credentials: USER,
    }).catch((error: unknown) => {
      throw error instanceof MissingTool ? new BrokerMissing(error.message) : error;
    });
    for (let way = 0; way < WAYS; way++) behind.push(Number(broker.endpoints[`behindProxy${way}`]?.split(':')[1]));
    const free = [...proxies];
    const brokers = broker.connection.brokers as readonly string[];
    const withUsers = broker.endpoints.sasl ?? '';
    return {
      configure: () => kafka({ brokers }),
      unreachable: () => kafka({ brokers: ['127.0.0.1:1'] }),
      unauthorised: (password) =>
        kafka({ brokers: [withUsers], sasl: { mechanism: 'plain', username: USER.username, password } }),
      firstDead: () => kafka({ brokers: ['127.0.0.1:1', ...brokers] }),
      checking: () => kafka({ brokers, topology: 'check' }),
      native: (namespace) => nativePeer(plainKafka(brokers), namespace),
      ways: WAYS,
      proxied: async () => wayOf(free),
      process: () => ({
        module: new URL('./chaos.js', import.meta.url).href,
        connection: { brokers },
        unreachable: { brokers: ['127.0.0.1:1'] },
      }),
      footprint: (namespace) => footprint(plainKafka(brokers), Number(brokers[0]?.split(':')[1]), namespace),
      about: () => ({
        adapter: versionOf('@anymq/adapter-kafka', import.meta.url),
        client: versionOf('kafkajs', import.meta.url),
        broker: broker.version,
      }),
      close: async () => {
        await Promise.all(proxies.map((proxy) => proxy.close()));
        await broker.close();
      },
    };
  },
};

/** A proxy that nobody else uses; free again when it is closed. */
function wayOf(free: FaultProxy[]): ProxiedWay {
  const proxy = free.pop();
  if (proxy === undefined) throw new Error(`There are only ${WAYS} ways to the broker.`);
  const close = async (): Promise<void> => {
    proxy.heal();
    proxy.cut();
    free.push(proxy);
  };
  return { proxy, configure: () => kafka({ brokers: [proxy.address] }), close };
}

/** The shared broker must not fill up with what test runs leave. */
export async function removeNamespaces(plain: Kafka, namespaces: readonly string[]): Promise<void> {
  const ours = (name: string): boolean => namespaces.some((namespace) => name.startsWith(`${namespace}.`));
  const admin = plain.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter(ours);
  if (topics.length > 0) await admin.deleteTopics({ topics });
  const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(ours);
  // A group whose last member has only just gone is not empty yet; it keeps nothing of weight.
  await admin.deleteGroups(groups).catch(() => {});
  await admin.disconnect();
}

async function footprint(plain: Kafka, port: number, namespace: string): Promise<Record<string, number>> {
  const connections = connectionsTo(port);
  const admin = plain.admin();
  await admin.connect();
  try {
    const ids = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    const { groups } = await admin.describeGroups(ids.filter((id) => id.startsWith(`${namespace}.`)));
    return {
      connections,
      groups: groups.length,
      members: groups.reduce((sum, { members }) => sum + members.length, 0),
    };
  } finally {
    await admin.disconnect();
  }
}

async function nativePeer(plain: Kafka, namespace: string): Promise<NativePeer> {
  const producer = plain.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    async send(topic, { body, key, headers }) {
      const message = { key: key ?? null, value: Buffer.from(body), headers: { ...headers } };
      await producer.send({ topic: `${namespace}.${topic}`, messages: [message] });
    },
    read: (topic, count) => readPlainly(plain, `${namespace}.${topic}`, count),
    async deleteTopic(topic) {
      const admin = plain.admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [`${namespace}.${topic}`] });
      await admin.disconnect();
    },
    close: () => producer.disconnect(),
  };
}

async function readPlainly(plain: Kafka, topic: string, count: number): Promise<NativeMessage[]> {
  const consumer = plain.consumer({ groupId: unique('plain'), maxWaitTimeInMs: 100 });
  const messages: NativeMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        messages.push(nativeMessage(message));
        if (messages.length === count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return messages;
}

function nativeMessage({ key, value, headers }: KafkaMessage): NativeMessage {
  const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
  return { body: value ?? Buffer.alloc(0), key: key?.toString(), headers: Object.fromEntries(texts) };
}
