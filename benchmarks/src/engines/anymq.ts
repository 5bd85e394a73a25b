import { type Consumer, createMessaging, defineTopic, fixed, type Messaging, type SubscribeOptions } from '@anymq/core';
import {
  type Contestant,
  GROUP,
  LANES,
  type Opened,
  type OrderHandler,
  type Outgoing,
  type Place,
  TOPIC,
  windowed,
} from '../contestant.js';
import { KEYS, keyOf, type Order, orderSchema } from '../order.js';

/** Sends without an outcome that the application lets stand: as many as hide what a broker takes to answer. */
const WINDOW = 1_000;

/** The number of lanes under each engine's own name, and what its broker needs here. */
const OPTIONS = {
  memory: { partitions: LANES.memory, backlogMaxBytes: 1024 ** 3 },
  kafka: { partitions: LANES.kafka },
  rabbitmq: { buckets: LANES.rabbitmq },
  rocketmq: { queues: LANES.rocketmq },
} as const;

/** What differs from the defaults. */
interface Variant {
  readonly name: string;
  /** For people, after what all have. */
  readonly about?: string;
  readonly history?: 'full' | 'none';
  /** @default 1000 */
  readonly window?: number;
  readonly subscribe?: SubscribeOptions;
  /** Its handler in place of the work's. */
  readonly handler?: (handler: OrderHandler) => OrderHandler;
}

/** AnyMQ as its users write it, with default options but for the number of lanes. */
export function anymq(variant: Variant = { name: 'AnyMQ' }): Contestant {
  const { name, about = '', history = 'full', window = WINDOW } = variant;
  const options = `${history === 'none' ? ", history 'none'" : ''}${about}`;
  return {
    name,
    about: `send() with at most ${window} open, subscribe() with defaults${options}`,
    open: (place) => open(place, variant),
  };
}

export const LEAN: Variant = { name: "AnyMQ, history 'none'", history: 'none' };
export const lean = anymq(LEAN);

const POISON = `customer-${KEYS - 1}`;
const BACKOFF_MS = 200;

/** One key of 200 fails for ever, every 200 ms; its messages wait behind it. */
export const poisoned = anymq({
  name: 'AnyMQ, one key poison',
  about: `, retry every ${BACKOFF_MS} ms; one key of ${KEYS} fails always`,
  subscribe: { retry: { backoff: fixed(BACKOFF_MS), maxHeld: 100_000 } },
  handler: (handler) => (order) => {
    if (keyOf(order) === POISON) throw new Error('poison');
    return handler(order);
  },
});

/** Every message fails once. */
export const failing = anymq({
  name: 'AnyMQ, each fails once',
  about: ', every message fails once and is retried after 1 ms, its key waiting',
  subscribe: { retry: { backoff: fixed(1) } },
  handler: (handler) => {
    const failed = new Set<number>();
    return (order) => {
      if (failed.delete(order.sequence)) return handler(order);
      failed.add(order.sequence);
      throw new Error('fails once');
    };
  },
});

async function open({ engine, connection, namespace, keyed }: Place, variant: Variant): Promise<Opened> {
  const { history = 'full', subscribe = {}, handler: wrap = (handler: OrderHandler) => handler } = variant;
  const messaging = await createMessaging({
    namespace,
    brokers: { main: { adapter: engine, ...connection, ...OPTIONS[engine] } },
    cwd: import.meta.dirname,
  });
  const topic = defineTopic(TOPIC, { schema: orderSchema, history, ...(keyed ? { key: keyOf } : {}) });
  const subscribed = async (handler: OrderHandler): Promise<Consumer> => {
    const consumer = messaging.consumer({ group: GROUP });
    consumer.subscribe(topic, ({ value }) => handler(value), subscribe);
    await consumer.start();
    return consumer;
  };
  const delaying = messaging.producer();
  return {
    async prepare() {
      await (await subscribed(() => {})).close();
    },
    outgoing: () => Promise.resolve(outgoing(messaging, topic, variant)),
    async receive(handler) {
      await subscribed(wrap(handler));
    },
    async delayed(order, deliverAt) {
      await delaying.send(topic, order, { deliverAt });
    },
    close: () => messaging.close(),
  };
}

function outgoing(
  messaging: Messaging,
  topic: ReturnType<typeof defineTopic<typeof orderSchema>>,
  { window = WINDOW }: Variant,
): Outgoing {
  const producer = messaging.producer();
  const send = (order: Order): Promise<unknown> => producer.send(topic, order);
  return {
    pump: windowed(window, send),
    async one(order) {
      await send(order);
    },
  };
}
