import { ensureBroker } from '@anymq/brokers';
import { BrokerMissing, type ContractTarget, type NativeMessage, type NativePeer } from '@anymq/contract-kit';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { kafka } from '../../src/index.js';
import { plainKafka, unique } from './harness.js';

/** Kafka as the contract kit needs it. */
export const target: ContractTarget = {
  name: 'kafka',
  async open() {
    const { connection } = await ensureBroker('kafka').catch((error: Error) => {
      throw new BrokerMissing(error.message);
    });
    const brokers = connection.brokers as readonly string[];
    const namespaces = new Set<string>();
    return {
      configure() {
        const configured = kafka({ brokers });
        const create: typeof configured.create = (runtime) => {
          namespaces.add(runtime.namespace);
          return configured.create(runtime);
        };
        return { ...configured, create };
      },
      unreachable: () => kafka({ brokers: ['127.0.0.1:1'] }),
      // The shared broker has no listener with users: it refuses whoever brings credentials.
      unauthorised: (password) => kafka({ brokers, sasl: { mechanism: 'plain', username: 'nobody', password } }),
      native: (namespace) => nativePeer(plainKafka(brokers), namespace),
      close: () => removeNamespaces(plainKafka(brokers), [...namespaces]),
    };
  },
};

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

async function nativePeer(plain: Kafka, namespace: string): Promise<NativePeer> {
  const producer = plain.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    async send(topic, { body, key, headers }) {
      const message = { key: key ?? null, value: Buffer.from(body), headers: { ...headers } };
      await producer.send({ topic: `${namespace}.${topic}`, messages: [message] });
    },
    read: (topic, count) => readPlainly(plain, `${namespace}.${topic}`, count),
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
