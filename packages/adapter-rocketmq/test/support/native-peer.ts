import { randomUUID } from 'node:crypto';
import type { NativeMessage, NativePeer } from '@anymq/contract-kit';
import { systemClock } from '@anymq/core/adapter';
import { type MessageView, Producer, SimpleConsumer } from 'rocketmq-client-nodejs';
import type { RocketmqOptions } from '../../src/index.js';
import { Cluster } from '../../src/internal/cluster.js';
import { keysOf } from '../../src/internal/keys.js';
import { topicName } from '../../src/names.js';
import { parseOptions } from '../../src/options.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, close() {} };

function connectionOf(options: RocketmqOptions) {
  const { endpoints } = options;
  const keys = keysOf(parseOptions(options));
  return keys === undefined
    ? { endpoints }
    : { endpoints, sessionCredentials: { accessKey: keys.accessKey, accessSecret: keys.secretKey } };
}

const DELETE_TOPIC_IN_BROKER = 215;
const DELETE_TOPIC_IN_NAME_SERVER = 216;

/** What `mqadmin deleteTopic` does. */
async function deleteTopic(options: RocketmqOptions, topic: string): Promise<void> {
  const cluster = new Cluster(parseOptions(options), { clock: systemClock() });
  await cluster.everyMaster((broker) => broker.call(DELETE_TOPIC_IN_BROKER, { topic }));
  await cluster.nameServers((server) => server.call(DELETE_TOPIC_IN_NAME_SERVER, { topic }));
  await cluster.close();
}

/** A plain client of the library, as any other program would use. */
export function nativePeer(options: RocketmqOptions, namespace: string): Promise<NativePeer> {
  const common = { ...connectionOf(options), namespace: '', logger: quiet };
  const producers = new Map<string, Producer>();
  const producerOf = async (topic: string): Promise<Producer> => {
    const found = producers.get(topic);
    if (found !== undefined) return found;
    const producer = new Producer({ ...common, topics: [topic] });
    producers.set(topic, producer);
    await producer.startup();
    return producer;
  };
  return Promise.resolve({
    async send(portable, { body, key, headers }) {
      const topic = topicName(namespace, portable);
      const properties = new Map(Object.entries(headers ?? {}));
      const group = key === undefined ? {} : { messageGroup: key };
      await (await producerOf(topic)).send({ topic, body: Buffer.from(body), properties, ...group });
    },
    async read(portable, count) {
      const views = await readPlainly(options, topicName(namespace, portable), count);
      return views.map(toNative);
    },
    deleteTopic: (portable) => deleteTopic(options, topicName(namespace, portable)),
    async close() {
      await Promise.all([...producers.values()].map((each) => each.shutdown()));
    },
  });
}

/** The first `count` messages, received by a group of its own. */
export async function readPlainly(options: RocketmqOptions, topic: string, count: number): Promise<MessageView[]> {
  const consumer = new SimpleConsumer({
    ...connectionOf(options),
    namespace: '',
    logger: quiet,
    consumerGroup: `plain-${randomUUID().slice(0, 8)}`,
    subscriptions: new Map([[topic, '*']]),
    awaitDuration: 5_000,
  });
  await consumer.startup();
  const views: MessageView[] = [];
  while (views.length < count) {
    for (const view of await consumer.receive(32, 15_000)) {
      views.push(view);
      await consumer.ack(view);
    }
  }
  await consumer.shutdown();
  return views;
}

function toNative({ body, messageGroup, properties }: MessageView): NativeMessage {
  const key = messageGroup === '' ? undefined : messageGroup;
  return { body, key, headers: Object.fromEntries(properties) };
}
