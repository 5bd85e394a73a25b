import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import type { Connection } from '../src/client.js';
import { Pulse } from '../src/internal/pulse.js';

const HEARTBEAT_MS = 1_000;

/** A clock that a test moves, also without running timers: as when the process stood still. */
class StillClock implements Clock {
  time = 0;
  #timers: { readonly due: number; readonly run: () => void }[] = [];
  now = (): number => this.time;
  monotonic = (): number => this.time;

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { due: this.time + delayMs, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  async runDue(): Promise<void> {
    const due = this.#timers.filter((timer) => timer.due <= this.time);
    this.#timers = this.#timers.filter((timer) => timer.due > this.time);
    for (const { run } of due) run();
    await settled();
  }

  get timers(): number {
    return this.#timers.length;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function start() {
  const clock = new StillClock();
  const broker = { answering: true, asked: 0, waiting: [] as (() => void)[], severed: undefined as Error | undefined };
  const prefetch = async (): Promise<void> => {
    broker.asked += 1;
    if (!broker.answering) await new Promise<void>((answer) => broker.waiting.push(answer));
  };
  const destroy = (error: Error): void => {
    broker.severed = error;
  };
  const connection = {
    createChannel: async () => Object.assign(new EventEmitter(), { prefetch }),
    connection: { stream: { destroy } },
  };
  const pulse = new Pulse(connection as unknown as Connection, clock, HEARTBEAT_MS);
  await settled();
  return { clock, broker, pulse };
}

test('asks four times per heartbeat, and is alive as long as it is answered', async () => {
  const { clock, broker, pulse } = await start();
  for (let beat = 0; beat < 20; beat += 1) {
    clock.time += HEARTBEAT_MS / 4;
    await clock.runDue();
    expect(pulse.alive).toBe(true);
  }
  expect(broker.asked).toBe(21);
  pulse.stop();
  expect(clock.timers).toBe(0);
});

test('after standing still it is over before any timer runs, and the connection is ended by the first', async () => {
  const { clock, broker, pulse } = await start();
  clock.time += 2 * HEARTBEAT_MS;
  expect(pulse.alive).toBe(false);
  expect(broker.severed).toBeUndefined();
  await clock.runDue();
  expect(broker.severed?.message).toMatch(/may have given up/);
  expect(pulse.alive).toBe(false);
  expect(clock.timers).toBe(0);
});

test('an answer counts from its question, also when it is read late', async () => {
  const { clock, broker, pulse } = await start();
  broker.answering = false;
  clock.time += HEARTBEAT_MS / 4;
  await clock.runDue();
  clock.time += 3 * HEARTBEAT_MS;
  for (const answer of broker.waiting) answer();
  await settled();
  expect(pulse.alive).toBe(false);
  await clock.runDue();
  expect(broker.severed).toBeDefined();
});

test('what was not alive for a moment does not come to life again by a late answer', async () => {
  const { clock, broker, pulse } = await start();
  broker.answering = false;
  clock.time += HEARTBEAT_MS / 4;
  await clock.runDue();
  // The question is young enough, the answer before it is not.
  clock.time = 2 * HEARTBEAT_MS;
  expect(pulse.alive).toBe(false);
  for (const answer of broker.waiting) answer();
  await settled();
  expect(pulse.alive).toBe(false);
  expect(broker.severed?.message).toMatch(/may have given up/);
  expect(clock.timers).toBe(0);
});
