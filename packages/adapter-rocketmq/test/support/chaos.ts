import { startPrivate } from '@anymq/brokers';
import { type ChaosConnection, type ChaosTarget, createFaultProxy } from '@anymq/contract-kit';
import { type RocketmqOptions, rocketmq } from '../../src/index.js';

/** The shortest lease: a member that stands still keeps what it has for so long. */
const LEASE_MS = 10_000;

/** A broker that is killed forgets acknowledgements of the last seconds: it makes them durable every 5 s. */
const PERSIST_MS = 6_000;

/** Members of a chaos run are processes: each imports this module. */
export const configure = (connection: ChaosConnection) => rocketmq(connection as unknown as RocketmqOptions);

/** RocketMQ for chaos. */
export const target: ChaosTarget = {
  name: 'rocketmq',
  module: import.meta.url,
  staleMs: LEASE_MS,
  // Renewed at half.
  keepsMs: LEASE_MS / 2,
  settleWithinMs: 1_000,
  forgetsMs: PERSIST_MS,
  answerBytes: 64,
  // The broker gives a dead process's messages to another one when their lease is over.
  delaysInOrder: false,
  // It notes once a second how far its timer has come, and later when it is busy: what was confirmed 3.2 s before has come twice.
  doublesDelayedMs: 4_000,
  // Scenarios run side by side, and every send and acknowledgement is a request of its own.
  maxRatePerSecond: 250,
  async start() {
    const broker = await startPrivate('rocketmq');
    const direct = { ...broker.connection, leaseMs: LEASE_MS };
    const [host = '', port] = String(broker.connection.endpoints).split(':');
    const proxy = await createFaultProxy({ target: () => ({ host, port: Number(port) }), framing: 'http2' });
    return {
      direct,
      proxied: { ...direct, endpoints: proxy.address },
      proxy,
      kill: () => broker.kill(),
      stop: () => broker.stop(),
      restart: () => broker.restart(),
      close: async () => {
        await proxy.close();
        await broker.close();
      },
    };
  },
};
