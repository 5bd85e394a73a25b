import type { Order } from './order.js';

export const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'] as const;
export type Engine = (typeof ENGINES)[number];

/** Where one measurement happens. */
export interface Place {
  readonly engine: Engine;
  /** How the broker is reached: what an AnyMQ broker configuration takes. */
  readonly connection: Readonly<Record<string, string | readonly string[]>>;
  /** Unique: every name on the broker stands under it. 1-24 letters, digits and hyphens. */
  readonly namespace: string;
  /** Messages carry a key and are handled in its order. */
  readonly keyed: boolean;
}

/** The one topic and the one group of a measurement. */
export const TOPIC = 'orders';
export const GROUP = 'bench';
/** Partitions (Kafka), queues of a group (RabbitMQ), queues of a topic (RocketMQ): the same for all contestants. */
export const LANES = { memory: 8, kafka: 4, rabbitmq: 16, rocketmq: 8 } as const;

/** Messages of the work that is about memory. */
export const BACKLOG = 100_000;
/** Messages of the work where each fails once. */
export const RETRIES = 10_000;

/** One way of doing the work. */
export interface Contestant {
  readonly name: string;
  /** What it does, for people. */
  readonly about: string;
  open(place: Place): Promise<Opened>;
  /** Who fills the topic that it consumes, where itself is too slow. @default itself */
  readonly filler?: Contestant;
}

/** A contestant that is connected. */
export interface Opened {
  /** Creates topic and group where they must stand before the first send. */
  prepare(): Promise<void>;
  outgoing(): Promise<Outgoing>;
  /** Resolves when messages can come. */
  receive(handler: OrderHandler): Promise<void>;
  /** Sends one to be delivered at a time, milliseconds since the Unix epoch. Raw clients of most brokers cannot. */
  readonly delayed?: (order: Order, deliverAt: number) => Promise<void>;
  close(): Promise<void>;
}

export type OrderHandler = (order: Order) => void | Promise<void>;

export interface Outgoing {
  /** Sends what `next` gives, as fast as it can, until that is undefined; resolves when all are confirmed. */
  pump(next: () => Order | undefined, confirmed: (count: number) => void): Promise<void>;
  /** Sends one, at once; resolves when it is confirmed. */
  one(order: Order): Promise<void>;
}

/** Keeps up to `window` of `send` under way, for clients that answer each message by itself. */
export function windowed(window: number, send: (order: Order) => Promise<unknown>): Outgoing['pump'] {
  return (next, confirmed) =>
    new Promise((resolve, reject) => {
      let underWay = 0;
      let over = false;
      const ended = (): void => {
        underWay -= 1;
        confirmed(1);
        if (!over) fill();
        else if (underWay === 0) resolve();
      };
      const fill = (): void => {
        while (underWay < window) {
          const order = next();
          if (order === undefined) {
            over = true;
            if (underWay === 0) resolve();
            return;
          }
          underWay += 1;
          send(order).then(ended, reject);
        }
      };
      fill();
    });
}
