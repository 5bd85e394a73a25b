import type { Adapter, IncomingRecord, Receiver, ReceiverSpec, Source } from '@anymq/core/adapter';

export interface Handled {
  readonly id: string;
  readonly key: string | undefined;
  readonly record: IncomingRecord;
  readonly member: string;
}

/** Asked for every record. False: the handler fails and the record stays unsettled. */
export type TestHandler = (record: IncomingRecord) => boolean | Promise<boolean>;

type State = 'owned' | 'draining' | 'over';

class TestSource implements Source {
  readonly name: string;
  #state: State = 'owned';
  running = 0;
  drained: () => void = () => {};
  readonly #beforeOver: () => void;

  constructor(name: string, beforeOver: () => void) {
    this.name = name;
    this.#beforeOver = beforeOver;
  }

  /** A method, so that the compiler does not take it for constant. */
  is(state: State): boolean {
    return this.#state === state;
  }

  async drain(): Promise<void> {
    if (this.is('over')) return;
    this.#state = 'draining';
    if (this.running > 0) await new Promise<void>((resolve) => (this.drained = resolve));
    this.#beforeOver();
    this.#state = 'over';
  }

  lost(): void {
    this.#state = 'over';
    this.drained();
  }
}

export interface TestConsumerOptions {
  readonly member?: string;
  readonly handler?: TestHandler;
  readonly log?: Handled[];
}

/** As much of core's consumer as the adapter needs: credit, one handler at a time per key, settling, holding. */
export class TestConsumer {
  readonly handled: Handled[];
  readonly sources: TestSource[] = [];
  readonly failures: unknown[] = [];
  readonly held: IncomingRecord[] = [];
  readonly member: string;
  #receiver: Receiver | undefined;
  maxInFlightSeen = 0;
  #inFlight = 0;
  #settled: IncomingRecord[] = [];
  #early = 0;
  #stopped = false;
  #running = 0;
  #idle: () => void = () => {};
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #handler: TestHandler;

  constructor({ member = 'one', handler = () => true, log = [] }: TestConsumerOptions = {}) {
    this.member = member;
    this.handled = log;
    this.#handler = handler;
  }

  get receiver(): Receiver {
    if (this.#receiver === undefined) throw new Error('not started');
    return this.#receiver;
  }

  async start(adapter: Adapter, spec: ReceiverSpec): Promise<this> {
    this.#receiver = await adapter.openReceiver(spec, {
      own: (name) => {
        const source = new TestSource(name, () => this.#flush());
        this.sources.push(source);
        return source;
      },
      deliver: (records) => this.#deliver(records),
      failed: (error) => void this.failures.push(error),
    });
    this.receiver.credit(spec.maxInFlight + this.#early, Number.POSITIVE_INFINITY);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#flush();
    await this.receiver.close();
    for (const source of this.sources) source.lost();
  }

  #deliver(records: readonly IncomingRecord[]): void {
    this.#inFlight += records.length;
    this.maxInFlightSeen = Math.max(this.maxInFlightSeen, this.#inFlight);
    for (const record of records) this.#queue(record);
  }

  #queue(record: IncomingRecord): void {
    const lane = record.key ?? record.id;
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    this.#lanes.set(
      lane,
      before.then(() => this.#handle(record)),
    );
  }

  async #handle(record: IncomingRecord): Promise<void> {
    const source = record.source as TestSource;
    if (!source.is('owned') || this.#stopped) return this.#free(record, false);
    source.running += 1;
    this.#running += 1;
    this.handled.push({ id: record.id, key: record.key, record, member: this.member });
    const ok = await this.#handler(record);
    if (ok) this.#free(record, !source.is('over'));
    else {
      this.held.push(record);
      this.receiver.hold(record, record.attempts + 1);
    }
    source.running -= 1;
    this.#running -= 1;
    if (source.running === 0 && source.is('draining')) source.drained();
    if (this.#running === 0) this.#idle();
  }

  #free(record: IncomingRecord, settle: boolean): void {
    if (settle) {
      if (this.#settled.length === 0) queueMicrotask(() => this.#flush());
      this.#settled.push(record);
    }
    this.#inFlight -= 1;
    if (this.#receiver === undefined) this.#early += 1;
    else this.receiver.credit(1, Number.POSITIVE_INFINITY);
  }

  #flush(): void {
    const settled = this.#settled;
    this.#settled = [];
    if (settled.length > 0) this.receiver.settle(settled);
  }
}

/** Per key: the ids in the order of their first call; how many came again. Ids end in `-<number>`, counting up within a key. */
export function verdict(handled: readonly Handled[]): { distinct: number; duplicates: number; orderBreaks: number } {
  const seen = new Set<string>();
  const last = new Map<string, number>();
  let duplicates = 0;
  let orderBreaks = 0;
  for (const { id, key = '' } of handled) {
    if (seen.has(id)) {
      duplicates += 1;
      continue;
    }
    seen.add(id);
    const number = Number(id.slice(id.lastIndexOf('-') + 1));
    if (number < (last.get(key) ?? -1)) orderBreaks += 1;
    else last.set(key, number);
  }
  return { distinct: seen.size, duplicates, orderBreaks };
}
