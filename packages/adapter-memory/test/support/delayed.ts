import { type Consumer, createMessaging, defineTopic, type Messaging, type MessagingEvent } from '@anymq/core';
import type { Clock, ConfiguredAdapter } from '@anymq/core/adapter';
import { z } from 'zod';
import { createMemoryBroker, type MemoryBroker, memory, type Schedule, virtualClock } from '../../src/index.js';

export const topic = defineTopic('orders', {
  schema: z.object({ key: z.string(), n: z.number() }),
  key: ({ key }) => key,
});

/** One handler call. */
export interface Arrival {
  readonly n: number;
  readonly key: string;
  /** By the wall clock. */
  readonly at: number;
}

/** Several processes on one broker, and a clock that a test moves, and sets. */
export class World {
  readonly clock = virtualClock();
  readonly broker: MemoryBroker;
  readonly arrivals: Arrival[] = [];
  readonly events: MessagingEvent[] = [];
  readonly #open: Messaging[] = [];
  #stepMs = 0;

  /** @param leaseMs long by default: signs of life are timers, and tests go through days */
  constructor({ schedule, leaseMs = 3_600_000 }: { schedule?: Schedule; leaseMs?: number } = {}) {
    this.broker = createMemoryBroker({ clock: this.clock, schedule, leaseMs, partitions: 4 });
  }

  now(): number {
    return this.clock.now() + this.#stepMs;
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#stepMs += ms;
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  async process(
    adapter: ConfiguredAdapter = memory({ broker: this.broker }),
    clock: Clock = this.wall(),
  ): Promise<Messaging> {
    const messaging = await createMessaging({
      namespace: 'test',
      brokers: { main: adapter },
      clock,
      random: () => 0.5,
    });
    messaging.on((event) => this.events.push(event));
    this.#open.push(messaging);
    return messaging;
  }

  /** The clock of a machine: its wall time can be set, its timers do not care. */
  wall(): Clock {
    const { clock } = this;
    return {
      now: () => this.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (delayMs, run) => clock.setTimer(delayMs, run),
    };
  }

  async consumer(messaging: Messaging): Promise<Consumer> {
    const consumer = messaging.consumer({ group: 'g' });
    consumer.subscribe(
      topic,
      async ({ value }) => {
        this.arrivals.push({ ...value, at: this.now() });
      },
      { deadLetter: 'none' },
    );
    await consumer.start();
    return consumer;
  }

  numbers(): number[] {
    return this.arrivals.map(({ n }) => n);
  }

  /** Closes every process; what they leave of timers is told. */
  async close(): Promise<number> {
    await Promise.all(this.#open.map((messaging) => messaging.close()));
    return this.clock.timers;
  }
}
