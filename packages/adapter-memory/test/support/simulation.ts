import type { Adapter, OutgoingRecord, Sender } from '@anymq/core/adapter';
import fc from 'fast-check';
import {
  createMemoryBroker,
  type MemoryBroker,
  seededScheduler,
  type VirtualClock,
  virtualClock,
} from '../../src/index.js';
import { FakeConsumer } from './fake-consumer.js';
import { processOn, receiverSpec, record, topicSpec } from './process.js';

/** One step of a simulated run; `at` is one of the processes. */
export type Step =
  | { readonly do: 'send'; readonly key: number }
  | { readonly do: 'join'; readonly at: number; readonly obliging: boolean }
  | { readonly do: 'leave' | 'crash' | 'freeze' | 'thaw' | 'finish' | 'hold'; readonly at: number }
  | { readonly do: 'settle'; readonly at: number; readonly count: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'hop'; readonly count: number };

const PROCESSES = 3;
const LEASE_MS = 3_000;
const at = fc.nat(PROCESSES - 1);
const some = <T extends string>(...names: T[]) => fc.constantFrom(...names);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: some('send'), key: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ do: some('join'), at, obliging: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: some('leave', 'crash', 'freeze', 'thaw', 'finish', 'hold'), at }) },
    { weight: 5, arbitrary: fc.record({ do: some('settle'), at, count: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ do: some('advance'), ms: fc.nat(2_000) }) },
    { weight: 4, arbitrary: fc.record({ do: some('hop'), count: fc.nat(60) }) },
  ),
  { minLength: 20, maxLength: 120, size: 'max' },
);

/** What happened, in order. `certain`: the member was not suspended, so the broker must have accepted the settlement. */
export type Happening =
  | { readonly what: 'stored'; readonly id: string; readonly key: string; readonly position: string }
  | {
      readonly what: 'delivered';
      readonly id: string;
      readonly key: string;
      readonly to: string;
      readonly redelivered: boolean;
      readonly attempts: number;
    }
  | { readonly what: 'settled'; readonly id: string; readonly certain: boolean }
  | { readonly what: 'held'; readonly id: string }
  | { readonly what: 'owns'; readonly source: string; readonly by: string }
  | { readonly what: 'ends'; readonly source: string; readonly by: string };

interface Process {
  readonly name: string;
  readonly clock: VirtualClock;
  adapter: Adapter;
  consumer: Worker | undefined;
  frozen: boolean;
}

/** A fake consumer that notes everything it sees. */
class Worker extends FakeConsumer {
  readonly #history: Happening[];

  constructor(name: string, history: Happening[]) {
    super(name);
    this.#history = history;
  }

  override own(name: string) {
    this.#history.push({ what: 'owns', source: name, by: this.name });
    const source = super.own(name);
    const noted = { ...source };
    return Object.assign(source, {
      finishDrain: () => {
        this.#ends(name, source.state === 'draining');
        noted.finishDrain();
      },
      lost: () => {
        this.#ends(name, true);
        noted.lost();
      },
    });
  }

  override deliver(records: Parameters<FakeConsumer['deliver']>[0]): void {
    for (const { id, key = '', redelivered, attempts } of records) {
      this.#history.push({ what: 'delivered', id, key, to: this.name, redelivered, attempts });
    }
    super.deliver(records);
  }

  /** It is gone, and with it all that it owned. */
  end(): void {
    for (const source of this.sources) {
      if (source.state === 'owned' || source.state === 'draining') this.#ends(source.name, true);
    }
  }

  #ends(source: string, really: boolean): void {
    if (really) this.#history.push({ what: 'ends', source, by: this.name });
  }
}

/** Runs `script` against one broker and three processes, then lets everything recover and be handled. */
export async function simulate(seed: number, script: readonly Step[]): Promise<readonly Happening[]> {
  const world = await World.create(seed);
  for (const step of script) await world.step(step);
  await world.recover();
  return world.history;
}

class World {
  readonly history: Happening[] = [];
  readonly #clock: VirtualClock;
  readonly #broker: MemoryBroker;
  readonly #processes: Process[] = [];
  readonly #lanes = new Map<number, Promise<void>>();
  #sender: Sender | undefined;
  #sent = 0;
  #joined = 0;

  private constructor(seed: number) {
    this.#clock = virtualClock();
    this.#broker = createMemoryBroker({
      clock: this.#clock,
      schedule: seededScheduler(seed),
      partitions: 4,
      leaseMs: LEASE_MS,
      drainTimeoutMs: 2_500,
    });
  }

  static async create(seed: number): Promise<World> {
    const world = new World(seed);
    for (let i = 0; i < PROCESSES; i++) {
      const clock = virtualClock();
      const adapter = await processOn(world.#broker, clock);
      world.#processes.push({ name: `p${i}`, clock, adapter, consumer: undefined, frozen: false });
    }
    world.#sender = await world.#processes[0]?.adapter.openSender(topicSpec());
    return world;
  }

  async step(step: Step): Promise<void> {
    if (step.do === 'send') return this.#send(record(`m${this.#sent++}`, `k${step.key}`));
    if (step.do === 'advance') return this.#advance(step.ms);
    if (step.do === 'hop') return hops(step.count);
    const process = this.#processes[step.at] as Process;
    if (step.do === 'join') return this.#join(process, step.obliging);
    if (step.do === 'settle') return this.#settle(process, step.count);
    await this.#disturb(step.do, process);
  }

  /** Everybody is well again: within 20 seconds of their time everything must be handled. */
  async recover(): Promise<void> {
    for (const process of this.#processes) {
      await this.#disturb('thaw', process);
      if (process.consumer !== undefined) process.consumer.obliging = true;
      await this.#disturb('finish', process);
    }
    await this.#join(this.#processes[0] as Process, true);
    await Promise.all(this.#lanes.values());
    for (let second = 0; second < 20; second++) {
      for (const process of this.#processes) for (let i = 0; i < 200; i++) this.#settle(process, 10);
      await this.#advance(1_000);
    }
    for (const process of this.#processes) await this.#disturb('leave', process);
    for (const process of this.#processes) await process.adapter.close();
    const timers = [this.#clock, ...this.#processes.map(({ clock }) => clock)].map((clock) => clock.timers);
    if (timers.some((count) => count > 0)) throw new Error(`timers left: ${timers}`);
  }

  /** One write of a lane at a time, as core does. */
  #send(message: OutgoingRecord): void {
    const sender = this.#sender as Sender;
    const lane = sender.laneOf(message);
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    this.#lanes.set(
      lane,
      before.then(async () => {
        const [result] = await sender.write(lane, [message]);
        if (result?.status !== 'stored') throw new Error(`not stored: ${message.id}`);
        const { id, key = '' } = message;
        this.history.push({ what: 'stored', id, key, position: result.position ?? '' });
      }),
    );
  }

  async #join(process: Process, obliging: boolean): Promise<void> {
    if (process.consumer !== undefined || process.frozen) return;
    process.consumer = new Worker(`${process.name}.${this.#joined++}`, this.history);
    process.consumer.obliging = obliging;
    await process.consumer.join(process.adapter, receiverSpec({ maxInFlight: 10 }));
  }

  /** As core does: the oldest of each key first. */
  #settle({ consumer, frozen }: Process, count: number): void {
    const keys = new Set<string | undefined>();
    const heads = new Set(consumer?.waiting.filter(({ key }) => !keys.has(key) && keys.add(key)).slice(-count));
    for (const { id } of count === 0 ? [] : heads) this.history.push({ what: 'settled', id, certain: !frozen });
    if (count > 0) consumer?.settle((record) => heads.has(record));
  }

  /** In small steps: the clocks of processes that are well must not run apart, or leases run out for nothing. */
  async #advance(ms: number): Promise<void> {
    const healthy = this.#processes.filter(({ frozen }) => !frozen).map(({ clock }) => clock);
    for (let left = ms; left > 0; left -= 250) {
      for (const clock of [...healthy, this.#clock]) await clock.advanceAsync(Math.min(250, left));
    }
  }

  async #disturb(what: 'leave' | 'crash' | 'freeze' | 'thaw' | 'finish' | 'hold', process: Process): Promise<void> {
    const { consumer } = process;
    if (what === 'freeze') process.frozen = true;
    if (what === 'thaw' && process.frozen) {
      process.frozen = false;
      // Its timers are overdue: it shows a sign of life before anything else.
      process.clock.advance(LEASE_MS);
    }
    if (consumer === undefined || process.frozen) return;
    if (what === 'finish') for (const source of consumer.sources) source.finishDrain();
    if (what === 'hold') this.#hold(consumer);
    if (what === 'leave' || what === 'crash') await this.#end(what, process, consumer);
  }

  #hold(consumer: Worker): void {
    const [head] = consumer.waiting;
    if (head === undefined) return;
    this.history.push({ what: 'held', id: head.id });
    consumer.receiver?.hold(head, head.attempts + 1);
  }

  async #end(what: 'leave' | 'crash', process: Process, consumer: Worker): Promise<void> {
    process.consumer = undefined;
    consumer.end();
    if (what === 'leave') return consumer.close();
    consumer.waiting = [];
    await process.adapter.close();
    process.adapter = await processOn(this.#broker, process.clock);
  }
}

async function hops(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}
