import type { IncomingRecord, ReceiverSpec } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import { parseOptions } from '../src/options.js';
import { type ReceiverSettings, RocketmqReceiver } from '../src/receiver.js';
import { LockedQueue } from './support/locked-queue.js';
import { testRuntime, topicSpec, until } from './support/runtime.js';

const CREDIT = 64;

/** A member that has credit again for what it settles. */
function setUp() {
  const queue = new LockedQueue();
  const records: IncomingRecord[] = [];
  const sink = {
    own: (name: string) => ({ name, drain: async () => {}, lost: () => {} }),
    deliver: (delivered: readonly IncomingRecord[]) => void records.push(...delivered),
    failed: () => {},
  };
  const spec = { topic: topicSpec('orders'), maxInFlightBytes: 1_000_000 } as unknown as ReceiverSpec;
  const attempts = { all: async () => new Map(), note: async () => {}, forget: async () => {}, read: async () => 0 };
  const names = { topic: 'n_orders', group: 'n_g%orders', closed: () => {}, topology: { attempts } };
  const options = parseOptions({ endpoints: '127.0.0.1:8081' });
  const settings = { ...names, runtime: testRuntime('n'), options, client: queue.client() };
  const receiver = new RocketmqReceiver(spec, sink, settings as unknown as ReceiverSettings, 1);
  receiver.credit(CREDIT, 1_000_000);
  const settle = (settled: readonly IncomingRecord[]): void => {
    receiver.settle(settled);
    receiver.credit(settled.length, 1_000);
  };
  const close = async (): Promise<void> => {
    const closing = receiver.close();
    queue.close();
    await closing;
  };
  return { queue, records, settle, close };
}

const offsetsOf = (records: readonly IncomingRecord[]) => records.map(({ position }) => Number(position.slice(1)));
const from = (first: number) => Array.from({ length: 32 }, (_, index) => first + index);

/** 32 messages are acknowledged, 32 more delivered, and `settled` of them settled when the broker comes back and knows of nothing. */
async function setBack(settled: (index: number) => boolean) {
  const member = setUp();
  const { queue, records, settle } = member;
  queue.append(96);
  await until(() => records.length === 32, 'the first answer');
  settle(records.slice(0, 32));
  await until(() => records.length === 64, 'the second answer');
  queue.down = true;
  settle(records.slice(32, 64).filter((_, index) => settled(index)));
  queue.crash(0);
  queue.down = false;
  await until(() => records.length === 96, 'what was acknowledged, again');
  expect(offsetsOf(records.slice(64))).toEqual(from(0));
  return member;
}

test('a queue that a crash of the broker has set back behind what is handled and not acknowledged goes on', async () => {
  const { queue, records, settle, close } = await setBack(() => true);
  settle(records.slice(64));
  await until(() => records.length === 128, 'what was never delivered');
  expect(offsetsOf(records.slice(96))).toEqual(from(64));
  settle(records.slice(96));
  await until(() => queue.done === 96, 'everything acknowledged');
  await close();
}, 60_000);

test('a queue that was set back stays locked until what is being handled behind that is settled', async () => {
  const { queue, records, settle, close } = await setBack((index) => index !== 8);
  settle(records.slice(64));
  const { answers } = queue;
  await until(() => queue.answers >= answers + 3, 'its lock renewed');
  expect([queue.done, records.length]).toEqual([0, 96]);
  settle(records.slice(40, 41));
  await until(() => records.length === 128, 'what was never delivered');
  settle(records.slice(96));
  await until(() => queue.done === 96, 'everything acknowledged');
  await close();
}, 60_000);
