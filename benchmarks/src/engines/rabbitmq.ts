import { randomUUID } from 'node:crypto';
import amqplib, { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
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
  windowed,
} from '../contestant.js';
import { decoded, encoded, KEYS, type Order } from '../order.js';
import { anymq, failing, lean, poisoned } from './anymq.js';

const WINDOW = 1_000;
const PREFETCH = 200;
const ACK_EVERY = 50;
/** Acknowledgements do not wait longer than this for more. */
const ACK_MS = 20;

const tuned: Contestant = {
  name: 'raw tuned',
  about: `amqplib with noDelay: ${WINDOW} unconfirmed in flight; prefetch ${PREFETCH} on each queue's channel, acks allUpTo every ${ACK_EVERY}`,
  open: (place) => open(place, { noDelay: true, pump: (one) => windowed(WINDOW, one), consume: inBatches }),
};

const naive: Contestant = {
  name: 'raw naive',
  about: 'amqplib as in its first example: publish and wait for the confirm of each; no prefetch, an ack for each',
  open: (place) => open(place, { noDelay: false, pump: (one) => windowed(1, one), consume: oneByOne }),
  filler: tuned,
};

interface Style {
  readonly noDelay: boolean;
  readonly pump: (one: Outgoing['one']) => Outgoing['pump'];
  readonly consume: (channel: Channel, queue: string, handler: OrderHandler) => Promise<unknown>;
}

const exchangeOf = ({ namespace }: Place): string => `${namespace}.raw`;
const queuesOf = (place: Place): string[] =>
  Array.from({ length: LANES.rabbitmq }, (_, index) => `${exchangeOf(place)}:${index}`);

async function open(place: Place, style: Style): Promise<Opened> {
  const connection = await amqplib.connect(place.connection.url as string, { noDelay: style.noDelay });
  return {
    prepare: () => declare(connection, place),
    outgoing: async () => sending(await connection.createConfirmChannel(), place, style),
    async receive(handler) {
      for (const queue of queuesOf(place)) await style.consume(await connection.createChannel(), queue, handler);
    },
    close: () => connection.close(),
  };
}

async function declare(connection: ChannelModel, place: Place): Promise<void> {
  const channel = await connection.createChannel();
  await channel.assertExchange(exchangeOf(place), 'direct', { durable: true });
  for (const [index, queue] of queuesOf(place).entries()) {
    const keyed = place.keyed ? { 'x-single-active-consumer': true } : {};
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', ...keyed } });
    await channel.bindQueue(queue, exchangeOf(place), String(index));
  }
  await channel.close();
}

/** One key is always in one queue. */
const queueOf = (order: Order): string => String((order.sequence % KEYS) % LANES.rabbitmq);

function sending(channel: ConfirmChannel, place: Place, { pump }: Style): Outgoing {
  const exchange = exchangeOf(place);
  // Nothing but the confirm tells how a message fared, so it is not awaited that the socket takes more.
  const one = (order: Order): Promise<void> =>
    new Promise((resolve, reject) => {
      const properties = {
        persistent: true,
        mandatory: true,
        contentType: 'application/json',
        messageId: randomUUID(),
      };
      channel.publish(exchange, queueOf(order), encoded(order), properties, (error) =>
        error === null ? resolve() : reject(error as Error),
      );
    });
  return { pump: pump(one), one };
}

/** One after another where the handler takes its time: that is order by key, as long as nobody builds lanes. */
function inTurn(
  handler: OrderHandler,
  done: (message: ConsumeMessage) => void,
): (message: ConsumeMessage | null) => void {
  let before: Promise<void> | undefined;
  return (message) => {
    if (message === null) return;
    String(message.properties.messageId);
    const handle = (): void | Promise<void> => handler(decoded(message.content));
    if (before === undefined) {
      const pending = handle();
      if (pending === undefined) return done(message);
      before = pending.then(() => done(message));
    } else {
      before = before.then(handle).then(() => done(message));
    }
  };
}

async function inBatches(channel: Channel, queue: string, handler: OrderHandler): Promise<void> {
  let last: ConsumeMessage | undefined;
  let count = 0;
  const flush = (): void => {
    if (last !== undefined) channel.ack(last, true);
    last = undefined;
    count = 0;
  };
  setInterval(flush, ACK_MS).unref();
  await channel.prefetch(PREFETCH);
  const done = (message: ConsumeMessage): void => {
    last = message;
    count += 1;
    if (count >= ACK_EVERY) flush();
  };
  await channel.consume(queue, inTurn(handler, done));
}

async function oneByOne(channel: Channel, queue: string, handler: OrderHandler): Promise<void> {
  await channel.consume(
    queue,
    inTurn(handler, (message) => channel.ack(message)),
  );
}

/** Removes what stands under the namespaces: what the raw clients declared, and what the adapter's README says it declares. */
async function remove(connection: Place['connection'], namespaces: readonly string[]): Promise<void> {
  const model = await amqplib.connect(connection.url as string);
  const channel = await model.createChannel();
  for (const namespace of namespaces) {
    for (const queue of namesOfQueues(namespace)) await channel.deleteQueue(queue);
    for (const exchange of namesOfExchanges(namespace)) await channel.deleteExchange(exchange);
  }
  await model.close();
}

function namesOfQueues(namespace: string): string[] {
  const entry = `${namespace}.${TOPIC}`;
  const group = `${entry}:${GROUP}`;
  const indices = Array.from({ length: LANES.rabbitmq }, (_, index) => index);
  return [
    ...indices.map((index) => `${namespace}.raw:${index}`),
    ...indices.map((index) => `${group}:${String(index).padStart(2, '0')}`),
    `${entry}:history`,
    `${group}:charter`,
    `${group}:notes`,
  ];
}

function namesOfExchanges(namespace: string): string[] {
  const entry = `${namespace}.${TOPIC}`;
  const rests = ['full', 'none'].flatMap((history) =>
    ['keyed', 'free'].map((shape) => `${entry}:rest-${LANES.rabbitmq}-${history}-${shape}`),
  );
  return [
    `${namespace}.raw`,
    entry,
    `${entry}:control`,
    `${entry}:${GROUP}:ready`,
    `${entry}:${GROUP}:pasts`,
    ...rests,
  ];
}

const ours = anymq();

export const bench: EngineBench = {
  durability: 'publisher confirms, quorum queues, persistent messages',
  contests: [
    { work: 'send', contestants: [tuned, naive, lean, ours] },
    { work: 'consume', contestants: [tuned, naive, ours], fill: [60_000, 30_000, 60_000] },
    { work: 'latency', contestants: [tuned, naive, ours] },
    { work: 'slow', contestants: [tuned, ours], keyed: true, fill: [20_000, 60_000] },
    { work: 'backlog', contestants: [tuned, ours], fill: [BACKLOG, BACKLOG], rounds: 1 },
    { work: 'poison', contestants: [ours, poisoned], keyed: true },
    { work: 'retry', contestants: [ours, failing], keyed: true, fill: [RETRIES, RETRIES] },
    { work: 'delay', contestants: [ours], keyed: true },
  ],
  remove,
};
