import { randomUUID } from 'node:crypto';
import { type MessageView, Producer, SimpleConsumer } from 'rocketmq-client-nodejs';
import type { EngineBench } from '../bench.js';
import {
  BACKLOG,
  type Contestant,
  GROUP,
  type Opened,
  type OrderHandler,
  type Outgoing,
  type Place,
  RETRIES,
  TOPIC,
  windowed,
} from '../contestant.js';
import { decoded, encoded, type Order } from '../order.js';
import { anymq, failing, poisoned } from './anymq.js';
import { removeTopicAndGroup } from './rocketmq-remove.js';

const SENDS = 64;
const RECEIVE = 32;
const LOOPS = 4;
const LEASE_MS = 30_000;
const POLL_MS = 5_000;

const tuned: Contestant = {
  name: 'raw tuned',
  about: `rocketmq-client-nodejs: ${SENDS} sends at once; receive(${RECEIVE}) in ${LOOPS} loops, an ack for each message`,
  open: (place) => open(place, SENDS, LOOPS),
};

const naive: Contestant = {
  name: 'raw naive',
  about: `rocketmq-client-nodejs as in its first example: await send(); one loop of receive(${RECEIVE}), await ack() for each`,
  open: (place) => open(place, 1, 1),
  filler: tuned,
};

const topicOf = ({ namespace }: Place): string => `${namespace}_${TOPIC}`;
const quiet = { debug() {}, info() {}, warn() {}, error() {}, close() {} };

/** The client cannot create topics: AnyMQ does, so that both have the very same one; the group is one of its own. */
async function open(place: Place, sends: number, loops: number): Promise<Opened> {
  const topic = topicOf(place);
  const common = { endpoints: place.connection.endpoints as string, namespace: '', logger: quiet };
  const closing: (() => Promise<void>)[] = [];
  return {
    async prepare() {
      const opened = await anymq().open(place);
      await opened.prepare();
      await opened.close();
    },
    async outgoing() {
      const producer = new Producer({ ...common, topics: [topic] });
      await producer.startup();
      closing.push(() => producer.shutdown());
      return sending(producer, topic, sends);
    },
    async receive(handler) {
      const consumer = new SimpleConsumer({
        ...common,
        consumerGroup: `${place.namespace}_${GROUP}%${TOPIC}`,
        subscriptions: new Map([[topic, '*']]),
        awaitDuration: POLL_MS,
      });
      await consumer.startup();
      closing.push(() => consumer.shutdown());
      for (let loop = 0; loop < loops; loop++) void receiving(consumer, loops > 1, handler);
    },
    async close() {
      for (const close of closing) await close();
    },
  };
}

function sending(producer: Producer, topic: string, sends: number): Outgoing {
  const one = async (order: Order): Promise<void> => {
    await producer.send({ topic, body: encoded(order), properties: new Map([['message-id', randomUUID()]]) });
  };
  return { pump: windowed(sends, one), one };
}

async function receiving(consumer: SimpleConsumer, together: boolean, handler: OrderHandler): Promise<never> {
  const handle = async (view: MessageView): Promise<void> => {
    view.properties.get('message-id');
    await handler(decoded(view.body));
  };
  for (;;) {
    const views = await consumer.receive(RECEIVE, LEASE_MS);
    const acks: Promise<unknown>[] = [];
    for (const view of views) {
      await handle(view);
      const ack = consumer.ack(view);
      if (together) acks.push(ack);
      else await ack;
    }
    await Promise.all(acks);
  }
}

/** Removes what stands under the namespaces. */
async function remove(connection: Place['connection'], namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    await removeTopicAndGroup(connection, `${namespace}_${TOPIC}`, `${namespace}_${GROUP}%${TOPIC}`);
  }
}

const ours = anymq();

export const bench: EngineBench = {
  durability: "the broker's own flush setting, one answer per message",
  contests: [
    { work: 'send', contestants: [tuned, naive, ours] },
    { work: 'consume', contestants: [tuned, naive, ours], fill: [5_000, 2_000, 10_000] },
    { work: 'latency', contestants: [tuned, naive, ours] },
    { work: 'backlog', contestants: [ours], fill: [BACKLOG], rounds: 1 },
    { work: 'poison', contestants: [ours, poisoned], keyed: true },
    { work: 'retry', contestants: [ours, failing], keyed: true, fill: [RETRIES, RETRIES] },
    { work: 'delay', contestants: [ours], keyed: true },
  ],
  remove,
};
