import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  type Consumer,
  createMessaging,
  defineTopic,
  type Messaging,
  type MessagingOptions,
  type Topic,
} from '@anymq/core';
import type { Capabilities, CapabilityId, ConfiguredAdapter } from '@anymq/core/adapter';
import { z } from 'zod';
import { Received, Waiter } from './received.js';
import type { NativePeer, OpenTarget, Outage, ProcessWay, ProxiedWay } from './target.js';

const item = z.object({ key: z.string(), n: z.number() });

/** What most cases send. */
export type Item = z.infer<typeof item>;

/** A short wait in which something must not happen, after a sentinel has come the same way. */
const QUIET_MS = 300;
/** A process that stands still for a moment, as on a busy machine, misses one slice of a quiet time and not all of it. */
const SLICES = 10;
/** A busy machine may be so many times as late as an adapter declares. */
const BUSY = 3;
const NANOS = 1_000_000;

/** A promise that the case ends itself. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** What a case begins with. */
export interface CaseSettings {
  readonly target: OpenTarget;
  readonly capabilities: Capabilities;
  readonly namespace: string;
  /** Aborted at the case's deadline. */
  readonly deadline: AbortSignal;
  readonly seed: number;
}

/** What a case works with. Everything it opens is closed when it ends. */
export class CaseContext {
  readonly capabilities: Capabilities;
  /** Aborted at the case's deadline. */
  readonly deadline: AbortSignal;
  readonly namespace: string;
  /** For everything random. */
  readonly seed: number;
  readonly waiter: Waiter;
  readonly #target: OpenTarget;
  readonly #suffix = randomUUID().slice(0, 8);
  readonly #open: { close(): Promise<void> }[] = [];
  readonly #healing: (() => void)[] = [];
  readonly #ways: ProxiedWay[] = [];
  /** How long this process did not turn to what was due. */
  readonly #stalls = monitorEventLoopDelay({ resolution: 20 });
  #names = 0;

  constructor({ target, capabilities, namespace, deadline, seed }: CaseSettings) {
    this.#target = target;
    this.capabilities = capabilities;
    this.namespace = namespace;
    this.deadline = deadline;
    this.seed = seed;
    this.waiter = new Waiter(deadline);
    this.#stalls.enable();
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

  /** The adapter as the target configures it. */
  configure(): ConfiguredAdapter {
    return this.#target.configure();
  }

  /** A messaging on an adapter that cannot work: `unreachable` or `unauthorised`. */
  async messagingOn(adapter: ConfiguredAdapter, options: Partial<MessagingOptions> = {}): Promise<Messaging> {
    const messaging = await createMessaging({ namespace: this.namespace, brokers: { main: adapter }, ...options });
    this.#open.push(messaging);
    return messaging;
  }

  unreachable(): ConfiguredAdapter {
    return this.#target.unreachable();
  }

  unauthorised(secret: string): ConfiguredAdapter {
    return required(this.#target.unauthorised, 'unauthorised', 'authentication')(secret);
  }

  /** An adapter whose first address leads nowhere. */
  firstDead(): ConfiguredAdapter {
    return required(this.#target.firstDead, 'firstDead', 'network')();
  }

  /** An adapter that creates nothing. */
  checking(): ConfiguredAdapter {
    return required(this.#target.checking, 'checking', 'given-topology')();
  }

  /** From now on the broker gives up what of `topic` lies in the line of `group`, or what a member has had. */
  limit({ name }: Topic<never, unknown>, group: string): Promise<void> {
    return required(this.#target.limit, 'limit', 'broker-limits').call(this.#target, this.namespace, name, group);
  }

  async native(): Promise<NativePeer> {
    const peer = await required(this.#target.native, 'native', 'native-interop')(this.namespace);
    this.#open.push(peer);
    return peer;
  }

  /** A way to the broker through a fault proxy, healed when the case is over. The case says that it `disturbs`. */
  async proxied(): Promise<ProxiedWay> {
    const way = await this.#way('network');
    this.#healing.push(() => way.proxy.heal());
    return way;
  }

  /** A way to the broker that can be closed and opened again; open when the case is over. The case says that it `disturbs`. */
  async outage(): Promise<Outage> {
    const outage = this.#target.outage?.() ?? outageOf(await this.#way('recovery'));
    this.#healing.push(() => outage.end());
    return outage;
  }

  /** How a process of its own comes to the broker. */
  processWay(): ProcessWay {
    const way = this.#target.process?.();
    if (way !== undefined) return way;
    throw new Error('Give the target process(): the contract runs the adapter in a process that must end by itself.');
  }

  /** What the broker holds for its clients. */
  footprint(): Promise<Readonly<Record<string, number>>> {
    return required(this.#target.footprint, 'footprint', 'network').call(this.#target, this.namespace);
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
  async quiet(messaging: Messaging, topic: Topic<Item, Item>, received: Pick<Received<Item>, 'all'>): Promise<void> {
    const sentinels = await this.send(messaging, topic, items(32, 32, 'sentinel'));
    await received.all(sentinels);
    await this.later(QUIET_MS);
  }

  /** Every one of `ids` was handled to its end by one of several. */
  oneOf(ids: readonly string[], ...several: readonly Received<Item>[]): Promise<void> {
    const left = new Set(ids);
    const seen = several.map(() => 0);
    const holds = (): boolean => {
      for (const [which, { ended }] of several.entries()) {
        for (const id of ended.slice(seen[which])) left.delete(id);
        seen[which] = ended.length;
      }
      return left.size === 0;
    };
    return this.until(holds, `${ids.length} messages at any member, ${left.size} are missing`);
  }

  /** Resolves with nothing after a while: what would be too early must have had its time. Never to wait for something. */
  async later(ms: number): Promise<undefined> {
    for (let i = 0; i < SLICES; i++) await pause(ms / SLICES);
  }

  /** Sends, then starts a member of `group` that records until everything has come. Leaves nothing settled behind that is not. */
  async member<T = Item>(
    group: string,
    topic: Topic<T, T>,
    received: Received<T>,
    member = 'a',
    work?: Parameters<Received<T>['handler']>[1],
    options = {},
  ): Promise<Consumer> {
    const consumer = (await this.messaging()).consumer({ group });
    consumer.subscribe(topic, received.handler(member, work), options);
    await consumer.start();
    return consumer;
  }

  /**
   * How late something may come that an adapter declares to be at most `toleranceMs` late, milliseconds: a busy machine adds to it,
   * and what this process itself stood still adds twice, on the way out and on the way in.
   */
  lateMs(toleranceMs: number): number {
    return BUSY * toleranceMs + (2 * this.#stalls.max) / NANOS;
  }

  /** Every process that the case has opened so far ends in good order. */
  async leaveAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((one) => one.close()));
  }

  async close(): Promise<void> {
    this.#stalls.disable();
    for (const heal of this.#healing.splice(0)) heal();
    const closed = await Promise.allSettled(this.#open.map((one) => one.close()));
    await Promise.all(this.#ways.splice(0).map((way) => way.close?.()));
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #way(row: CapabilityId): Promise<ProxiedWay> {
    const way = await required(this.#target.proxied, 'proxied', row)();
    this.#ways.push(way);
    return way;
  }
}

/** `count` items over `keys` keys, numbered per run: `n` grows with every item. */
export function items(count: number, keys: number, prefix = 'k'): Item[] {
  return Array.from({ length: count }, (_, n) => ({ key: `${prefix}${n % keys}`, n }));
}

/** For asking a broker again; never to wait for something that happens. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function outageOf({ configure, proxy }: ProxiedWay): Outage {
  return {
    configure,
    begin: () => {
      proxy.refuse();
      proxy.cut();
    },
    end: () => proxy.heal(),
  };
}

function required<T>(part: T | undefined, name: string, row: CapabilityId): T {
  if (part !== undefined) return part;
  throw new Error(
    `The adapter claims '${row}': give its target ${name}() to prove it, or declare the row unsupported.`,
  );
}
