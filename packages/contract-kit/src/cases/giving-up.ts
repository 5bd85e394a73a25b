/** What the cases about retries, dead letters and redriving begin with. */
import {
  type Consumer,
  type DeadLetter,
  type DeadLetters,
  type Delivery,
  fixed,
  type ListOptions,
  type Messaging,
  MessagingError,
  type MessagingEvent,
  PermanentError,
  type SubscribeOptions,
  type Subscription,
  type Topic,
} from '@anymq/core';
import type { ConfiguredAdapter, TopicSpec, WriteResult } from '@anymq/core/adapter';
import type { CaseContext, Item } from '../context.js';
import type { Received } from '../received.js';
import { over, tampered } from '../tamper.js';

/**
 * Time for groups that come and go many times, for both sides of an outage to find out, and for thousands of messages on a slow
 * machine: session and lease time-outs of real brokers are up to half a minute. What takes so long hangs; it measures nothing.
 */
export const SLOW_MS = 300_000;

/** A wait of at least `floorMs` was not too long. */
export const atMost = (t: CaseContext, floorMs: number): number =>
  floorMs + t.lateMs(t.capabilities.limits.delayToleranceMs);

/** Fails for good, on everything but what {@link CaseContext.quiet} sends. */
export function giveUp({ key }: { readonly key: string | undefined }): void {
  if (!key?.startsWith('sentinel')) throw new PermanentError('never');
}

/** Fails on the first call of everything but sentinels. */
export const failsOnce = ({ key, attempt }: { readonly key: string | undefined; readonly attempt: number }): void => {
  if (attempt === 1 && !key?.startsWith('sentinel')) throw new Error('not yet');
};

/** What fails lets others of its key pass meanwhile. */
export const release = (delayMs: number) => ({ whileRetrying: 'release', backoff: fixed(delayMs) }) as const;

/** What a worker may have beside its topic. */
export interface WorkerSettings<T> {
  readonly group?: string;
  readonly adapter?: ConfiguredAdapter;
  readonly work?: (delivery: Delivery<T>) => unknown;
  readonly options?: SubscribeOptions;
  readonly received?: Received<T>;
  readonly drainTimeoutMs?: number;
}

/** A member of a group in a process of its own, with all that it says. */
export interface Worker<T> {
  readonly messaging: Messaging;
  readonly consumer: Consumer;
  readonly subscription: Subscription;
  readonly received: Received<T>;
  readonly events: readonly MessagingEvent[];
}

/** A started member. */
export async function worker<T>(
  t: CaseContext,
  topic: Topic<T, T>,
  settings: WorkerSettings<T> = {},
): Promise<Worker<T>> {
  const { group = 'g', adapter = t.configure(), received = t.received<T>(), work, options, drainTimeoutMs } = settings;
  const messaging = await t.messagingOn(adapter);
  const events = eventsOf(t, messaging);
  const consumer = messaging.consumer({ group, ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }) });
  const subscription = consumer.subscribe(topic, received.handler('a', work), options);
  await consumer.start();
  return { messaging, consumer, subscription, received, events };
}

/** Everything that a messaging says from now on. */
export function eventsOf(t: CaseContext, messaging: Messaging): readonly MessagingEvent[] {
  const events: MessagingEvent[] = [];
  messaging.on((event) => {
    events.push(event);
    t.waiter.changed();
  });
  return events;
}

/** The events of one type. */
export const told = <Type extends MessagingEvent['type']>(
  events: readonly MessagingEvent[],
  type: Type,
): Extract<MessagingEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<MessagingEvent, { type: Type }> => event.type === type);

/** Gives messages up, by a member that comes for it and leaves. Resolves with their ids, in order. */
export async function givenUp(
  t: CaseContext,
  topic: Topic<Item, Item>,
  items: readonly Item[],
  { group = 'g', work = giveUp }: Pick<WorkerSettings<Item>, 'group' | 'work'> = {},
): Promise<string[]> {
  const options = { retry: { maxAttempts: 1 } };
  const { messaging, consumer, events } = await worker(t, topic, { group, work, options });
  const ids = await t.send(messaging, topic, items);
  await toldOf(t, events, 'dead-lettered', ids);
  await consumer.close();
  return ids;
}

/** Every one of `ids` has had such an event. */
export function toldOf(
  t: CaseContext,
  events: readonly MessagingEvent[],
  type: 'dead-lettered' | 'dead-letter-failed' | 'release-failed' | 'handler-failed',
  ids: readonly string[],
): Promise<void> {
  const holds = (): boolean => {
    const known = new Set(told(events, type).map(({ id }) => id));
    return ids.every((id) => known.has(id));
  };
  return t.until(holds, `${type} of ${ids.length} messages`);
}

/** The dead letters of a group, seen from a process of its own. */
export async function lettersOf(t: CaseContext, topic: Topic<never, unknown>, group = 'g'): Promise<DeadLetters> {
  return (await t.messaging()).deadLetters(topic, { group });
}

/** All of them, as {@link DeadLetters.list} gives them. */
export async function listed(letters: DeadLetters, options?: ListOptions): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of letters.list(options)) found.push(letter);
  return found;
}

export const messageIds = (letters: readonly DeadLetter[]): string[] => letters.map(({ messageId }) => messageId);

/** What of a delivery must be the same however it came. */
export function contentOf<T>({ id, key, type, value, time, headers, position }: Delivery<T>) {
  return { id, key, type, value, time, headers: { ...headers }, position };
}

/** An adapter that stores nothing in the topics of which the names begin with `prefix`, as long as `refused` says so. */
export function refusing(adapter: ConfiguredAdapter, prefix: string, refused: () => boolean): ConfiguredAdapter {
  const error = new MessagingError('UNAUTHORISED', 'The broker does not take it, says the case.');
  const no: WriteResult = { status: 'not-sent', error };
  return tampered(adapter, () => ({
    adapter: (own) => ({
      openSender: async (topic: TopicSpec) => {
        const sender = await own.openSender(topic);
        if (!topic.name.startsWith(prefix)) return sender;
        return over(sender, {
          write: async (lane, records) => (refused() ? records.map(() => no) : sender.write(lane, records)),
        });
      },
    }),
  }));
}

/** An adapter that never tells the broker what of `topic` was settled: as if its process had died before. */
export const unsettling = (adapter: ConfiguredAdapter, { name }: Topic<never, unknown>): ConfiguredAdapter =>
  tampered(adapter, () => ({
    member: ({ spec }) => ({ receiver: spec.topic.name === name ? { settle: () => {} } : {} }),
  }));
