/** What the cases about delayed messages begin with. */
import assert from 'node:assert/strict';
import type { Cancellation, Consumer, Messaging, Producer, SendOptions, Topic } from '@anymq/core';
import type { CaseContext, Item } from '../context.js';
import type { Received } from '../received.js';

/** A delayed message, as its sender knows it. */
export interface Sent {
  readonly id: string;
  /** Not before, milliseconds since the Unix epoch. */
  readonly due: number;
  readonly token: string;
}

/** Handler calls, and when each message came first. */
export interface Arrivals<T> {
  readonly received: Received<T>;
  readonly at: ReadonlyMap<string, number>;
}

/** A process that sends and receives. */
export interface Process<T> extends Arrivals<T> {
  readonly messaging: Messaging;
  readonly consumer: Consumer;
  readonly producer: Producer;
}

/** A member of group `group`, by default in a process of its own. */
export async function member<T>(
  t: CaseContext,
  topic: Topic<T, T>,
  { group = 'g', messaging, received = t.received<T>(), work }: MemberSettings<T> = {},
): Promise<Process<T>> {
  const own = messaging ?? (await t.messaging());
  const at = new Map<string, number>();
  const consumer = own.consumer({ group });
  const handler = received.handler('a', async ({ id }) => {
    if (!at.has(id)) at.set(id, Date.now());
    await work?.();
  });
  consumer.subscribe(topic, handler);
  await consumer.start();
  return { messaging: own, consumer, producer: own.producer(), received, at };
}

interface MemberSettings<T> {
  readonly group?: string;
  readonly messaging?: Messaging;
  readonly received?: Received<T>;
  readonly work?: () => Promise<unknown>;
}

/** A process that has delayed a message before, and got it: what its lines need stands. */
export async function ready(
  t: CaseContext,
  topic: Topic<Item, Item> = t.keyed(),
  settings: MemberSettings<Item> = {},
): Promise<Process<Item> & { readonly topic: Topic<Item, Item> }> {
  const process = await member(t, topic, settings);
  const { id } = await process.producer.send(topic, { key: 'warm-up', n: -1 }, { delayMs: 1 });
  await process.received.all([id]);
  return { ...process, topic };
}

/** Sends what is due later. */
export async function delay<T>(
  producer: Producer,
  topic: Topic<T, T>,
  value: T,
  options: SendOptions & { readonly delayMs?: number },
): Promise<Sent> {
  const due = options.deliverAt === undefined ? Date.now() + (options.delayMs ?? 0) : Number(options.deliverAt);
  const { id, cancelToken } = await producer.send(topic, value, options);
  return { id, due, token: cancelToken ?? assert.fail('a delayed send without a token') };
}

/** Ids of what was sent. */
export const idsOf = (sent: readonly Sent[]): string[] => sent.map(({ id }) => id);

/** Nothing came before its time. */
export function assertNotEarly(sent: readonly Sent[], { at }: Pick<Arrivals<never>, 'at'>): void {
  for (const { id, due } of sent) {
    const came = at.get(id);
    assert.ok(came === undefined || came >= due, `a message came ${due - (came ?? 0)} ms early`);
  }
}

/** Everything came, neither early nor much later than the adapter says. */
export function assertOnTime(t: CaseContext, sent: readonly Sent[], arrivals: Pick<Arrivals<never>, 'at'>): void {
  assertNotEarly(sent, arrivals);
  const mostMs = t.lateMs(t.capabilities.limits.delayToleranceMs);
  for (const { id, due } of sent) {
    const late = (arrivals.at.get(id) ?? Number.POSITIVE_INFINITY) - due;
    assert.ok(late <= mostMs, `a message came ${late} ms late`);
  }
}

/** What was sent has come, in this order. */
export function assertOrder(sent: readonly Sent[], { received }: Pick<Arrivals<Item>, 'received'>): void {
  const wanted = new Set(idsOf(sent));
  const came = [...new Set(received.ids)].filter((id) => wanted.has(id));
  assert.deepEqual(came, idsOf(sent));
}

/** What was cancelled came never, what was too late came. */
export function assertExact(answers: ReadonlyMap<string, Cancellation>, { received }: Arrivals<Item>): void {
  const came = new Set(received.ids);
  for (const [id, answer] of answers)
    assert.equal(came.has(id), answer === 'too-late', `${answer}, and it ${came.has(id) ? 'came' : 'did not come'}`);
}
