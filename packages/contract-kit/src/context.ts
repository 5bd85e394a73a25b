import { randomUUID } from 'node:crypto';
import {
  type Consumer,
  createMessaging,
  defineTopic,
  type Messaging,
  type MessagingOptions,
  type Topic,
} from '@anymq/core';
import type { Capabilities, ConfiguredAdapter } from '@anymq/core/adapter';
import { z } from 'zod';
import { Received, Waiter } from './received.js';
import type { NativePeer, OpenTarget } from './target.js';

const item = z.object({ key: z.string(), n: z.number() });

/** What most cases send. */
export type Item = z.infer<typeof item>;

/** A short wait in which something must not happen, after a sentinel has come the same way. */
const QUIET_MS = 300;

/** A promise that the case ends itself. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** What a case works with. Everything it opens is closed when it ends. */
export class CaseContext {
  readonly capabilities: Capabilities;
  /** Aborted at the case's deadline. */
  readonly deadline: AbortSignal;
  readonly namespace: string;
  readonly waiter: Waiter;
  readonly #target: OpenTarget;
  readonly #suffix = randomUUID().slice(0, 8);
  readonly #open: { close(): Promise<void> }[] = [];
  #names = 0;

  constructor(target: OpenTarget, capabilities: Capabilities, namespace: string, deadline: AbortSignal) {
    this.#target = target;
    this.capabilities = capabilities;
    this.namespace = namespace;
    this.deadline = deadline;
    this.waiter = new Waiter(deadline);
  }

  /** A name that nobody else uses. */
  name(what: string): string {
    this.#names += 1;
    return `${what}-${this.#suffix}-${this.#names}`;
  }

  /** A process of its own: a messaging on a fresh adapter. */
  messaging(options: Partial<MessagingOptions> = {}): Promise<Messaging> {
    return this.messagingOn(this.#target.configure(), options);
  }

  /** A messaging on an adapter that cannot work: `unreachable` or `unauthorised`. */
  async messagingOn(adapter: ConfiguredAdapter, options: Partial<MessagingOptions> = {}): Promise<Messaging> {
    const messaging = await createMessaging({ namespace: this.namespace, brokers: { main: adapter }, ...options });
    this.#open.push(messaging);
    return messaging;
  }

  unreachable(): ConfiguredAdapter {
    return required(this.#target.unreachable, 'unreachable')();
  }

  unauthorised(secret: string): ConfiguredAdapter {
    return required(this.#target.unauthorised, 'unauthorised')(secret);
  }

  async native(): Promise<NativePeer> {
    const peer = await required(this.#target.native, 'native')(this.namespace);
    this.#open.push(peer);
    return peer;
  }

  /** A topic of {@link Item}s, ordered by key. */
  keyed(name = this.name('keyed')): Topic<Item, Item> {
    return defineTopic(name, { schema: item, key: ({ key }) => key });
  }

  /** A topic of {@link Item}s without order. */
  unkeyed(name = this.name('unkeyed')): Topic<Item, Item> {
    return defineTopic(name, { schema: item });
  }

  received<T = Item>(): Received<T> {
    return new Received<T>(this.waiter);
  }

  gate(): Gate {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { opened, open: () => open() };
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return this.waiter.until(holds, () => what);
  }

  /** Asks again and again until it holds: for what only the broker knows. */
  async poll(holds: () => Promise<boolean>, what: string): Promise<void> {
    while (!(await holds())) {
      if (this.deadline.aborted) throw new Error(`waited until the deadline for ${what}`);
      await pause(50);
    }
  }

  /** Sends items; resolves with their ids, in order. All sends are under way at once. */
  async send(messaging: Messaging, topic: Topic<Item, Item>, items: readonly Item[]): Promise<string[]> {
    const producer = messaging.producer();
    const receipts = await Promise.all(items.map((value) => producer.send(topic, value)));
    await producer.close();
    return receipts.map(({ id }) => id);
  }

  /**
   * Sends a message of each of many keys, so that one goes every way, and waits until `received` has them all and was quiet for
   * a moment: what was to come before them has come.
   */
  async quiet(messaging: Messaging, topic: Topic<Item, Item>, received: Received<Item>): Promise<void> {
    const sentinels = await this.send(messaging, topic, items(32, 32, 'sentinel'));
    await received.all(sentinels);
    await pause(QUIET_MS);
  }

  /** Sends, then starts a member of `group` that records until everything has come. Leaves nothing settled behind that is not. */
  async member(
    group: string,
    topic: Topic<Item, Item>,
    received: Received<Item>,
    member = 'a',
    work?: Parameters<Received<Item>['handler']>[1],
    options = {},
  ): Promise<Consumer> {
    const consumer = (await this.messaging()).consumer({ group });
    consumer.subscribe(topic, received.handler(member, work), options);
    await consumer.start();
    return consumer;
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.#open.map((one) => one.close()));
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** `count` items over `keys` keys, numbered per run: `n` grows with every item. */
export function items(count: number, keys: number, prefix = 'k'): Item[] {
  return Array.from({ length: count }, (_, n) => ({ key: `${prefix}${n % keys}`, n }));
}

/** For asking a broker again and for quiet windows; never to wait for something that happens. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function required<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`the target has no ${name}(): the case must declare it in setUp`);
  return part;
}
