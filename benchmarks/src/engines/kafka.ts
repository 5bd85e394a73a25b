import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Consumer, type EachBatchPayload, Kafka, logLevel, type Producer } from 'kafkajs';
import type { EngineBench } from '../bench.js';
import {
  BACKLOG,
  type Contestant,
  GROUP,
  LANES,
  type Opened,
  type OrderHandler,
  type Outgoing,
  type Place,
  RETRIES,
  TOPIC,
} from '../contestant.js';
import { decoded, encoded, KEYS, keyOf, type Order } from '../order.js';
import { anymq, failing, poisoned } from './anymq.js';

/** Of one lane: 50 to 100 is where kafkajs is fastest. */
const BATCH = 100;
const COMMIT_MS = 200;
const ACKS_ALL = -1;

interface Way {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly keyed: boolean;
}

const tuned: Contestant = {
  name: 'raw tuned',
  about: `kafkajs with noDelay: a lane of ${BATCH} per partition, one in flight; eachBatch, commits every ${COMMIT_MS} ms in the background`,
  open: (place) => open(place, { noDelay: true, sending: lanes, receiving: byBatch }),
};

const naive: Contestant = {
  name: 'raw naive',
  about: 'kafkajs as in its first example: await send() of one message, eachMessage with automatic commits',
  open: (place) => open(place, { noDelay: false, sending: oneByOne, receiving: byMessage }),
  filler: tuned,
};

/** For slow handlers, in both forms: it is what keeps the order of keys in kafkajs. */
const eachMessage: Contestant = {
  name: 'raw eachMessage',
  about: 'kafkajs eachMessage as it is',
  open: (place) => open(place, { noDelay: true, sending: lanes, receiving: byMessage }),
};

const concurrent: Contestant = {
  name: 'raw eachMessage x 4',
  about: `kafkajs eachMessage with partitionsConsumedConcurrently ${LANES.kafka}, all that kafkajs has to overlap handlers`,
  open: (place) => open(place, { noDelay: true, sending: lanes, receiving: byMessageAtOnce }),
};

interface Style {
  readonly noDelay: boolean;
  readonly sending: (way: Way, producer: Producer) => Outgoing;
  readonly receiving: (way: Way, consumer: Consumer, handler: OrderHandler) => Promise<void>;
}

async function open({ connection, namespace, keyed }: Place, style: Style): Promise<Opened> {
  const kafka = new Kafka({
    brokers: connection.brokers as string[],
    logLevel: logLevel.ERROR,
    ...(style.noDelay ? { socketFactory } : {}),
  });
  const way: Way = { kafka, topic: `${namespace}.${TOPIC}`, group: `${namespace}.${GROUP}:${TOPIC}`, keyed };
  const closing: (() => Promise<void>)[] = [];
  return {
    prepare: () => createTopic(way),
    async outgoing() {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      closing.push(() => producer.disconnect());
      return style.sending(way, producer);
    },
    async receive(handler) {
      const consumer = kafka.consumer({ groupId: way.group, maxWaitTimeInMs: 250 });
      await consumer.connect();
      closing.push(() => consumer.disconnect());
      await consumer.subscribe({ topic: way.topic, fromBeginning: true });
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await style.receiving(way, consumer, handler);
      await joined;
    },
    async close() {
      for (const close of closing) await close();
    },
  };
}

/** kafkajs leaves Nagle's algorithm on. */
function socketFactory({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }): Socket {
  return connect({ host, port, noDelay: true }, onConnect);
}

async function createTopic({ kafka, topic }: Way): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: LANES.kafka }], waitForLeaders: true });
  await admin.disconnect();
}

const messageOf = (order: Order, keyed: boolean) => ({
  key: keyed ? keyOf(order) : null,
  value: encoded(order),
  headers: { 'message-id': randomUUID() },
});

/** One key is always in one lane. */
const laneOf = (order: Order): number => (order.sequence % KEYS) % LANES.kafka;

function lanes({ topic, keyed }: Way, producer: Producer): Outgoing {
  const write = async (partition: number, orders: readonly Order[]): Promise<void> => {
    const messages = orders.map((order) => ({ ...messageOf(order, keyed), partition }));
    const [answer] = await producer.send({ topic, acks: ACKS_ALL, messages });
    // kafkajs resolves with nothing for a partition that it does not know.
    if (answer?.errorCode !== 0) throw new Error(`partition ${partition} was not written`);
  };
  return {
    async pump(next, confirmed) {
      const queues = Array.from({ length: LANES.kafka }, (): Order[] => []);
      await Promise.all(
        queues.map(async (queue, lane) => {
          for (;;) {
            if (!fillLane(queues, lane, next)) return;
            const batch = queue.splice(0, BATCH);
            await write(lane, batch);
            confirmed(batch.length);
          }
        }),
      );
    },
    one: (order) => write(laneOf(order), [order]),
  };
}

/** Takes values until one lane has a batch; what belongs to others waits with them. False when there is nothing left. */
function fillLane(queues: readonly Order[][], lane: number, next: () => Order | undefined): boolean {
  const queue = queues[lane] as Order[];
  while (queue.length < BATCH) {
    const order = next();
    if (order === undefined) return queue.length > 0;
    queues[laneOf(order)]?.push(order);
  }
  return true;
}

function oneByOne({ topic, keyed }: Way, producer: Producer): Outgoing {
  const one = async (order: Order): Promise<void> => {
    await producer.send({ topic, messages: [messageOf(order, keyed)] });
  };
  return {
    async pump(next, confirmed) {
      for (let order = next(); order !== undefined; order = next()) {
        await one(order);
        confirmed(1);
      }
    },
    one,
  };
}

/** Handlers that return a promise are awaited, as order by key asks. */
async function byBatch({ topic }: Way, consumer: Consumer, handler: OrderHandler): Promise<void> {
  const done = new Map<number, string>();
  setInterval(() => {
    const offsets = [...done].map(([partition, offset]) => ({ topic, partition, offset }));
    done.clear();
    if (offsets.length > 0) consumer.commitOffsets(offsets).catch(() => {});
  }, COMMIT_MS).unref();
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: LANES.kafka,
    eachBatch: async ({ batch, resolveOffset }: EachBatchPayload) => {
      for (const { value, headers } of batch.messages) {
        String(headers?.['message-id']);
        const pending = handler(decoded(value as Buffer));
        if (pending !== undefined) await pending;
      }
      resolveOffset(batch.lastOffset());
      done.set(batch.partition, String(Number(batch.lastOffset()) + 1));
    },
  });
}

const byMessage = (_way: Way, consumer: Consumer, handler: OrderHandler): Promise<void> =>
  consumer.run({ eachMessage: async ({ message }) => handler(decoded(message.value as Buffer)) });

const byMessageAtOnce = (_way: Way, consumer: Consumer, handler: OrderHandler): Promise<void> =>
  consumer.run({
    partitionsConsumedConcurrently: LANES.kafka,
    eachMessage: async ({ message }) => handler(decoded(message.value as Buffer)),
  });

/** Removes what stands under the namespaces. */
async function remove(connection: Place['connection'], namespaces: readonly string[]): Promise<void> {
  const ours = (name: string): boolean => namespaces.some((namespace) => name.startsWith(`${namespace}.`));
  const admin = new Kafka({ brokers: connection.brokers as string[], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter(ours);
  if (topics.length > 0) await admin.deleteTopics({ topics });
  const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(ours);
  // A group of a member that ended without a word is not empty yet; it keeps nothing of weight.
  if (groups.length > 0) await admin.deleteGroups(groups).catch(() => {});
  await admin.disconnect();
}

const ours = anymq();

export const bench: EngineBench = {
  durability: 'acks -1 (all in-sync replicas)',
  contests: [
    { work: 'send', contestants: [tuned, naive, ours] },
    { work: 'consume', contestants: [tuned, naive, ours], fill: [80_000, 40_000, 80_000] },
    { work: 'latency', contestants: [tuned, naive, ours] },
    {
      work: 'slow',
      contestants: [eachMessage, concurrent, ours],
      keyed: true,
      fill: [2_000, 5_000, 80_000],
    },
    { work: 'backlog', contestants: [tuned, ours], fill: [BACKLOG, BACKLOG], rounds: 1 },
    { work: 'poison', contestants: [ours, poisoned], keyed: true },
    { work: 'retry', contestants: [ours, failing], keyed: true, fill: [RETRIES, RETRIES] },
    { work: 'delay', contestants: [ours], keyed: true },
  ],
  remove,
};
