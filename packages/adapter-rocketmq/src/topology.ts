import { type AdapterRuntime, MessagingError, type ReceiverSpec, sleep, type TopicSpec } from '@anymq/core/adapter';
import { Admin, type MessageType } from './internal/admin.js';
import { groupName, topicName } from './names.js';
import type { ParsedOptions } from './options.js';

const CHARTERS = 'ANYMQ_CHARTERS';
const ATTEMPTS = 'ANYMQ_ATTEMPTS';
const ROUTE_TIMEOUT_MS = 10_000;
const ROUTE_POLL_MS = 5;
const LOCK_TIMEOUT_MS = 70_000;
const LOCK_POLL_MS = 50;

/** Failed handler calls by message, kept on the name servers: written for failures only, read for redeliveries only. */
export interface AttemptNotes {
  note(group: string, id: string, attempts: number): Promise<void>;
  read(group: string, id: string): Promise<number>;
  forget(group: string, id: string): Promise<void>;
}

/** Topics and groups on the broker, created where they are missing. */
export class Topology {
  readonly attempts: AttemptNotes;
  readonly #options: ParsedOptions;
  readonly #runtime: AdapterRuntime;
  readonly #admin: Admin;
  readonly #topics = new Map<string, Promise<string>>();

  constructor(options: ParsedOptions, runtime: AdapterRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#admin = new Admin(options, runtime);
    this.attempts = attemptNotes(this.#admin);
  }

  ping(): Promise<void> {
    return this.#admin.ping();
  }

  /** Resolves with the broker's name of the topic. Rejects with `CONFLICT` when it exists with another type. */
  topic(spec: TopicSpec): Promise<string> {
    const key = `${spec.name} ${spec.keyed}`;
    let known = this.#topics.get(key);
    if (known === undefined) {
      known = this.#topic(spec).catch((error) => {
        this.#topics.delete(key);
        throw error;
      });
      this.#topics.set(key, known);
    }
    return known;
  }

  /**
   * Creates the group and its start position, once among all members, and resolves with its name on the broker. The charter is
   * written last: where it stands, all else does. Rejects with `CONFLICT` when the members agreed on another one.
   */
  async group(spec: ReceiverSpec, topic: string): Promise<string> {
    const name = groupName(this.#runtime.namespace, spec.group, spec.topic.name);
    const charter =
      (await this.#standing(spec, topic, name)) ??
      (await this.#withLock(topic, name, () => this.#found(spec, topic, name)));
    if (charter === spec.charter) return name;
    const message = `Group '${spec.group}' on topic '${spec.topic.name}' was joined with '${spec.charter}', but its members agreed on '${charter}'. Use the same settings in all members, or another group.`;
    throw new MessagingError('CONFLICT', message, { adapter: 'rocketmq' });
  }

  lag(topic: string, group: string): Promise<number> {
    return this.#admin.undelivered(topic, group);
  }

  close(): Promise<void> {
    return this.#admin.close();
  }

  async #topic({ name, keyed }: TopicSpec): Promise<string> {
    const topic = topicName(this.#runtime.namespace, name);
    const wanted: MessageType = keyed ? 'FIFO' : 'NORMAL';
    // The broker is asked, not the proxy: that one remembers for 20 s that a topic is not there.
    const found = await this.#admin.typeOf(topic);
    if (found === undefined) await this.#admin.createTopic(topic, wanted, this.#options.queues);
    else if (found !== wanted) {
      const message = `Topic '${name}' exists on RocketMQ with message type ${found}, asked for was ${wanted} (a topic with a key is FIFO, one without is NORMAL). Use the same definition everywhere, or another topic name.`;
      throw new MessagingError('CONFLICT', message, { adapter: 'rocketmq' });
    }
    await this.#poll(
      () => this.#admin.hasRoute(topic),
      ROUTE_POLL_MS,
      ROUTE_TIMEOUT_MS,
      `the route of topic '${name}'`,
    );
    return topic;
  }

  /** The charter of a group that needs nothing more, or that `spec` does not agree with. */
  async #standing({ charter }: ReceiverSpec, topic: string, group: string): Promise<string | undefined> {
    const written = await this.#admin.get(CHARTERS, group);
    if (written !== charter) return written;
    // Somebody may have deleted the group: joining would bring it back with the broker's defaults, without any order.
    return (await this.#admin.hasPosition(topic, group)) ? written : undefined;
  }

  /** Sets a group up. Resolves with the charter that stands, which another member may have written meanwhile. */
  async #found(spec: ReceiverSpec, topic: string, group: string): Promise<string> {
    const standing = await this.#standing(spec, topic, group);
    if (standing !== undefined) return standing;
    await this.#admin.createGroup(group, spec.topic.keyed);
    await this.#admin.startFrom(topic, group, spec.startFrom);
    await this.#admin.put(CHARTERS, group, spec.charter);
    return spec.charter;
  }

  async #withLock<T>(topic: string, group: string, work: () => Promise<T>): Promise<T> {
    const owner = `anymq-${this.#runtime.random().toString(36).slice(2)}-${this.#runtime.random().toString(36).slice(2)}`;
    await this.#poll(
      () => this.#admin.tryLock(topic, group, owner),
      LOCK_POLL_MS,
      LOCK_TIMEOUT_MS,
      `the lock of group '${group}'`,
    );
    try {
      return await work();
    } finally {
      // It ends by itself after a minute if this does not get through.
      await this.#admin.unlock(topic, group, owner).catch(() => {});
    }
  }

  async #poll(holds: () => Promise<boolean>, everyMs: number, timeoutMs: number, what: string): Promise<void> {
    const { clock } = this.#runtime;
    const deadline = clock.monotonic() + timeoutMs;
    while (!(await holds())) {
      if (clock.monotonic() > deadline)
        throw new MessagingError('TIMEOUT', `RocketMQ did not give ${what} within ${timeoutMs} ms.`, {
          adapter: 'rocketmq',
        });
      await sleep(clock, everyMs);
    }
  }
}

function attemptNotes(admin: Admin): AttemptNotes {
  const key = (group: string, id: string): string => `${group} ${id}`;
  return {
    note: (group, id, attempts) => admin.put(ATTEMPTS, key(group, id), String(attempts)),
    read: async (group, id) => Number((await admin.get(ATTEMPTS, key(group, id))) ?? 0),
    forget: (group, id) => admin.delete(ATTEMPTS, key(group, id)),
  };
}
