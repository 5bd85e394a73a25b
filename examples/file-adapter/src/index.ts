import { access, constants } from 'node:fs/promises';
import {
  type Adapter,
  type AdapterHealth,
  type AdapterPackage,
  type AdapterRuntime,
  ByteCredit,
  type Classification,
  type ConfiguredAdapter,
  type ErrorCode,
  type GroupStanding,
  MessagingError,
  type OutgoingRecord,
  type Reader,
  type ReaderSink,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Sender,
  type TopicSpec,
  type WriteResult,
} from '@anymq/core/adapter';
import { z } from 'zod';
import { capabilities } from './capabilities.js';
import type { FileRecord, Group, Member } from './group.js';
import { FileReader } from './reader.js';
import { Store } from './store.js';
import type { Topic } from './topic.js';

export { Store } from './store.js';

// #region package
const optionsSchema = z.strictObject({
  /** Where the topics are. Made where missing. */
  folder: z.string().min(1),
});

type Options = z.infer<typeof optionsSchema>;

/** What `{ "adapter": "your-package" }` in a configuration finds. */
export const adapter: AdapterPackage<Options, Store> = Object.freeze({
  name: 'file',
  optionsSchema,
  configure: ({ folder }: Options) => file(new Store(folder)),
});

/** For use in code, and for tests: adapters on the same store meet there. */
export function file(store: Store): ConfiguredAdapter<Store> {
  return Object.freeze({
    name: 'file',
    capabilities,
    create: (runtime: AdapterRuntime) => new FileAdapter(store, runtime),
  });
}
// #endregion

// #region adapter
class FileAdapter implements Adapter<Store> {
  readonly address: string;
  readonly classify = classify;
  readonly #store: Store;
  readonly #runtime: AdapterRuntime;
  #connected = false;

  constructor(store: Store, runtime: AdapterRuntime) {
    this.#store = store;
    this.#runtime = runtime;
    this.address = store.folder;
  }

  get native(): Store {
    if (this.#connected) return this.#store;
    const message = `Broker '${this.#runtime.broker}' is not connected. Connect before using its store.`;
    throw new MessagingError('UNAVAILABLE', message, { adapter: 'file' });
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#store.open();
    this.#connected = true;
    this.#runtime.connection('up');
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    return new FileSender(await this.#store.topic(this.#runtime.namespace, topic));
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const topic = await this.#store.topic(this.#runtime.namespace, spec.topic);
    return new FileReceiver(await topic.group(spec), spec, sink);
  }

  async openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader> {
    return new FileReader(await this.#store.topic(this.#runtime.namespace, topic), from, sink);
  }

  exists({ name }: TopicSpec): Promise<boolean> {
    return this.#store.exists(this.#runtime.namespace, name);
  }

  topics(): Promise<readonly string[]> {
    return this.#store.topics(this.#runtime.namespace);
  }

  groups(topic: string): Promise<readonly GroupStanding[]> {
    return this.#store.groups(this.#runtime.namespace, topic);
  }

  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    try {
      await access(this.#store.folder, constants.W_OK);
      return { ready: true, latencyMs: clock.monotonic() - began };
    } catch (error) {
      return { ready: false, reason: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    if (!this.#connected) return;
    this.#connected = false;
    await this.#store.release();
  }
}
// #endregion

// #region classify
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'UNAVAILABLE', // a volume that is not mounted yet
  ENOTDIR: 'UNAVAILABLE',
  ENOSPC: 'UNAVAILABLE',
  EDQUOT: 'UNAVAILABLE',
  EIO: 'UNAVAILABLE',
  EMFILE: 'UNAVAILABLE',
  ENFILE: 'UNAVAILABLE',
  EROFS: 'UNAUTHORISED',
  EACCES: 'UNAUTHORISED',
  EPERM: 'UNAUTHORISED',
};

function classify(error: unknown): Classification {
  const code = CODES[(error as NodeJS.ErrnoException | undefined)?.code ?? ''] ?? 'INTERNAL';
  return { code, retryable: code === 'UNAVAILABLE' };
}
// #endregion

// #region sender
class FileSender implements Sender {
  /** The file takes one write after the other; what core gathers meanwhile is the next one. */
  readonly limits = Object.freeze({ writes: 1, records: 1_000, bytes: 16 * 1024 * 1024 });
  readonly #topic: Topic;

  constructor(topic: Topic) {
    this.#topic = topic;
  }

  /** A topic is one file, so everything in it is in one order. */
  laneOf(_record: OutgoingRecord): number {
    return 0;
  }

  async write(_lane: number, records: readonly OutgoingRecord[]): Promise<readonly WriteResult[]> {
    try {
      const first = await this.#topic.append(records);
      return records.map((_, i) => ({ status: 'stored', position: String(first + i) }));
    } catch (error) {
      // The disk failed between our asking and its answer. Not 'not-sent': that would have to be certain.
      return records.map(() => ({ status: 'unknown', error }));
    }
  }

  async close(): Promise<void> {}
}
// #endregion

// #region receiver
class FileReceiver implements Receiver {
  readonly #group: Group;
  readonly #member: Member;

  constructor(group: Group, { topic, maxInFlightBytes }: ReceiverSpec, sink: ReceiverSink) {
    this.#group = group;
    // A store never takes a message away from a member that lives, so one source lasts as long as the receiver.
    const source = sink.own(`file of ${topic.name}`);
    this.#member = { source, sink, bytes: new ByteCredit(maxInFlightBytes), credit: 0 };
    group.join(this.#member);
  }

  credit(records: number, bytes: number): void {
    this.#member.credit += records;
    this.#member.bytes.add(bytes);
    this.#group.announce();
  }

  settle(records: readonly FileRecord[]): void {
    this.#group.settle(this.#member, records);
  }

  hold(record: FileRecord, attempts: number): void {
    this.#group.hold(this.#member, record, attempts);
  }

  async lag(): Promise<number> {
    return this.#group.lag;
  }

  async close(): Promise<void> {
    this.#group.leave(this.#member);
    await this.#group.save();
  }
}
// #endregion
