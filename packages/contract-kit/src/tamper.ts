import type {
  Adapter,
  AdapterRuntime,
  Capabilities,
  ConfiguredAdapter,
  IncomingRecord,
  Reader,
  ReaderSink,
  Receiver,
  ReceiverSink,
  ReceiverSpec,
  Sender,
  Source,
  TopicSpec,
} from '@anymq/core/adapter';

/** One receiver that is tampered with. */
export interface MemberSide {
  readonly spec: ReceiverSpec;
  readonly runtime: AdapterRuntime;
  /** Core's side. */
  readonly sink: ReceiverSink;
  readonly masks: Masks;
  /** The adapter's side: there as soon as anything was delivered. */
  receiver(): Receiver;
}

/** What is done in place of a member's own methods; the rest goes through. */
export interface TamperedMember {
  readonly sink?: Partial<ReceiverSink>;
  readonly source?: (source: Source) => Partial<Source>;
  /** `settle` and `hold` get the adapter's own records. */
  readonly receiver?: Partial<Receiver>;
}

/** One reader that is tampered with. */
export interface ReaderSide {
  readonly topic: TopicSpec;
  readonly from: 'earliest' | 'latest';
  readonly runtime: AdapterRuntime;
  /** Core's side. */
  readonly sink: ReaderSink;
}

/** What is done in place of a reader's own methods; the rest goes through. */
export interface TamperedReader {
  readonly sink?: Partial<ReaderSink>;
  readonly reader?: Partial<Reader>;
}

/** What is changed of one adapter. Made anew for each, so it may keep state. */
export interface Tamper {
  readonly capabilities?: (capabilities: Capabilities) => Capabilities;
  readonly runtime?: (runtime: AdapterRuntime) => Partial<AdapterRuntime>;
  readonly adapter?: (adapter: Adapter, runtime: AdapterRuntime) => Partial<Adapter>;
  readonly topic?: (topic: TopicSpec) => TopicSpec;
  readonly spec?: (spec: ReceiverSpec) => ReceiverSpec;
  readonly sender?: (sender: Sender, adapter: Adapter) => Partial<Sender>;
  readonly member?: (side: MemberSide) => TamperedMember;
  readonly reader?: (side: ReaderSide) => TamperedReader;
}

/** A configured adapter with changes at the level of the adapter interface: it works over any adapter. */
export function tampered(configured: ConfiguredAdapter, make: () => Tamper): ConfiguredAdapter {
  const { name, capabilities } = configured;
  return {
    name,
    capabilities: make().capabilities?.(capabilities) ?? capabilities,
    create: (given) => {
      const tamper = make();
      const runtime = over(given, tamper.runtime?.(given));
      const own = configured.create(runtime);
      const adapter = over(own, tamper.adapter?.(own, runtime));
      return over(adapter, {
        openSender: async (topic) => {
          const sender = await adapter.openSender(tamper.topic?.(topic) ?? topic);
          return over(sender, tamper.sender?.(sender, adapter));
        },
        openReceiver: (spec, sink) => openMember(adapter, tamper, { spec, sink, runtime }),
        openReader: (topic, from, sink) => openReader(adapter, tamper, { topic, from, sink, runtime }),
        exists: (topic) => adapter.exists(tamper.topic?.(topic) ?? topic),
      });
    },
  };
}

/** `target` with `changes` in place of what it has. What is not changed runs on the target itself. */
export function over<T extends object>(target: T, changes: Partial<T> = {}): T {
  // Not a proxy of the target: of a frozen one it would have to give everything as it is.
  return new Proxy({} as T, {
    get: (_, name) => {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    has: (_, name) => name in target || name in changes,
  });
}

async function openMember(
  adapter: Adapter,
  tamper: Tamper,
  { spec: given, sink: core, runtime }: Pick<MemberSide, 'spec' | 'sink' | 'runtime'>,
): Promise<Receiver> {
  const topic = tamper.topic?.(given.topic) ?? given.topic;
  const spec = { ...(tamper.spec?.(given) ?? given), topic };
  const masks = new Masks();
  let opened: Receiver | undefined;
  const receiver = (): Receiver => {
    if (opened === undefined) throw new Error('the receiver is not open yet');
    return opened;
  };
  // Core must get its own sources back, whoever wrapped them.
  const sink = over(core, { deliver: (records) => core.deliver(records.map((record) => masks.owned(record))) });
  const changes = tamper.member?.({ spec, sink, runtime, masks, receiver }) ?? {};
  opened = await adapter.openReceiver(
    spec,
    over(sink, { own: (name, stillOwned) => masks.own(core.own(name, stillOwned), changes.source), ...changes.sink }),
  );
  return unmasking(opened, masks, changes.receiver);
}

/** Nothing that core was given comes back, so there is nothing to mask. */
async function openReader(adapter: Adapter, tamper: Tamper, given: ReaderSide): Promise<Reader> {
  const { from, sink } = given;
  const topic = tamper.topic?.(given.topic) ?? given.topic;
  const changes = tamper.reader?.({ ...given, topic }) ?? {};
  return over(await adapter.openReader(topic, from, over(sink, changes.sink)), changes.reader);
}

function unmasking(receiver: Receiver, masks: Masks, changes: Partial<Receiver> = {}): Receiver {
  const own = over(receiver, changes);
  return over(own, {
    settle: (records) => {
      const originals = records.flatMap((record) => masks.original(record) ?? []);
      if (originals.length > 0) own.settle(originals);
    },
    hold: (record, attempts) => {
      const original = masks.original(record);
      if (original !== undefined) own.hold(original, attempts);
    },
  });
}

/** Records that look different to core, and the adapter's own behind them. */
export class Masks {
  readonly #originals = new WeakMap<IncomingRecord, IncomingRecord | undefined>();
  readonly #sources = new WeakMap<Source, Source>();

  /** The record with `changes`. */
  change(record: IncomingRecord, changes: Partial<IncomingRecord>): IncomingRecord {
    const mask = { ...copyOf(record), ...changes };
    this.#originals.set(mask, this.original(record));
    return mask;
  }

  /** The record once more: nothing that core does with it reaches the adapter. */
  phantom(record: IncomingRecord): IncomingRecord {
    const mask = copyOf(record);
    this.#originals.set(mask, undefined);
    return mask;
  }

  original(record: IncomingRecord): IncomingRecord | undefined {
    return this.#originals.has(record) ? this.#originals.get(record) : record;
  }

  own(source: Source, change: ((source: Source) => Partial<Source>) | undefined): Source {
    if (change === undefined) return source;
    const wrapped = over(source, change(source));
    this.#sources.set(wrapped, source);
    return wrapped;
  }

  owned(record: IncomingRecord): IncomingRecord {
    const source = this.#sources.get(record.source);
    return source === undefined ? record : this.change(record, { source });
  }
}

function copyOf(record: IncomingRecord): IncomingRecord {
  const { source, position, id, key, body, headers, time, type, contentType, attempts, redelivered } = record;
  return { source, position, id, key, body, headers, time, type, contentType, attempts, redelivered };
}
