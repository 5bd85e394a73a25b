import { startPrivate } from '@anymq/brokers';
import { type ChaosConnection, type ChaosTarget, createFaultProxy } from '@anymq/contract-kit';
import { type RabbitmqOptions, rabbitmq } from '../../src/index.js';

/** A member that stands still is noticed after two to three heartbeats. */
const HEARTBEAT_SECONDS = 3;

/** Members of a chaos run are processes: each imports this module. */
export const configure = (connection: ChaosConnection) => rabbitmq(connection as unknown as RabbitmqOptions);

/** RabbitMQ for chaos. */
export const target: ChaosTarget = {
  name: 'rabbitmq',
  module: import.meta.url,
  staleMs: 3 * HEARTBEAT_SECONDS * 1_000,
  settleWithinMs: 500,
  answerBytes: 16,
  keepsMs: 2 * HEARTBEAT_SECONDS * 1_000,
  async start() {
    const broker = await startPrivate('rabbitmq');
    const { hostname: host, port } = new URL(String(broker.connection.url));
    const proxy = await createFaultProxy({ target: () => ({ host, port: Number(port) }), framing: 'amqp' });
    const heartbeatSeconds = HEARTBEAT_SECONDS;
    return {
      direct: { ...broker.connection, heartbeatSeconds },
      proxied: { url: `amqp://${proxy.address}`, heartbeatSeconds },
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
