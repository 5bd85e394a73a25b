import { z } from 'zod';
import {
  type BatchOptions,
  createMessaging,
  defineTopic,
  type MessagingEvent,
  type SubscribeOptions,
} from '../../src/index.js';
import type { BatchHandler, Delivery, Handler, Outcome } from '../../src/message.js';
import { settle, TestClock } from './clock.js';
import { FakeAdapter, type FakeReceiver, incoming, type Write } from './fake-adapter.js';

export const topic = defineTopic('numbers', { schema: z.number(), key: String });
export const unkeyed = defineTopic('plain', { schema: z.number() });

type Options = SubscribeOptions & { readonly batch?: BatchOptions; readonly random?: () => number };
type Work = (delivery: Delivery<number>) => void | Outcome | Promise<void | Outcome>;

/** A consumer on a fake adapter, whose handler does `work` and notes `id#attempt@time`. */
export async function retries(work: Work, { random, ...options }: Options = {}, of = topic) {
  const adapter = new FakeAdapter();
  const { limits } = adapter.capabilities;
  Object.assign(adapter, { capabilities: { ...adapter.capabilities, limits: { ...limits, maxHeadersBytes: 2_000 } } });
  const clock = new TestClock();
  const loud: string[] = [];
  const note = (message: string): void => {
    loud.push(message);
  };
  const messaging = await createMessaging({
    brokers: { main: adapter },
    clock,
    ...(random === undefined ? {} : { random }),
    logger: { debug: note, info: note, warn: note, error: note },
  });
  const events: MessagingEvent[] = [];
  messaging.on((event) => events.push(event));
  const consumer = messaging.consumer({ group: 'g', drainTimeoutMs: 5_000 });
  const calls: string[] = [];
  const handler = (delivery: Delivery<number>) => {
    calls.push(`${delivery.id}#${delivery.attempt}@${clock.monotonic()}`);
    return work(delivery);
  };
  const subscription = consumer.subscribe(of, handler as Handler<number> & BatchHandler<number>, options as never);
  await consumer.start();
  await settle();
  const receiver = adapter.receivers[0] as FakeReceiver;
  const source = receiver.sink.own('source');
  const deliver = async (...ids: string[]): Promise<void> => {
    receiver.deliver(ids.map((id) => incoming(source, id, 1, { key: of === topic ? id[0] : undefined })));
    await settle();
  };
  /** The last write, once it is there. */
  const written = (): Write => adapter.writes.at(-1) as Write;
  const types = () => events.map(({ type }) => type).filter((type) => type !== 'connection');
  const of_ = <T extends MessagingEvent['type']>(type: T) =>
    events.filter((event): event is Extract<MessagingEvent, { type: T }> => event.type === type);
  return {
    adapter,
    clock,
    messaging,
    consumer,
    subscription,
    calls,
    receiver,
    source,
    deliver,
    written,
    types,
    of: of_,
    loud,
  };
}

/** Fails as often as it is told to. */
export const failing =
  (times = Number.POSITIVE_INFINITY): Work =>
  ({ attempt }) => {
    if (attempt <= times) throw new Error(`attempt ${attempt}`);
  };
