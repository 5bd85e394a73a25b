import { startPrivate } from '@anymq/brokers';
import { type ChaosConnection, type ChaosTarget, createFaultProxy } from '@anymq/contract-kit';
import { type KafkaOptions, kafka } from '../../src/index.js';

/** Defaults. The broker counts from a member's last heartbeat, which on a busy machine is late. */
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 500;

/** Members of a chaos run are processes: each imports this module. */
export const configure = (connection: ChaosConnection) => kafka(connection as unknown as KafkaOptions);

/** Kafka for chaos: with the defaults that users run. */
export const target: ChaosTarget = {
  name: 'kafka',
  module: import.meta.url,
  staleMs: SESSION_MS,
  keepsMs: SESSION_MS - 2 * HEARTBEAT_MS,
  // Commits follow one another, 150 ms apart.
  settleWithinMs: 500,
  // And say no more than the first offset of a partition that is not settled.
  placeOf: (position) => {
    const [source = '', place] = position.split(':');
    return { source, place: Number(place) };
  },
  answerBytes: 60,
  async start() {
    let behind = 0;
    const proxy = await createFaultProxy({ target: () => ({ host: '127.0.0.1', port: behind }), framing: 'kafka' });
    const broker = await startPrivate('kafka', { advertised: [proxy.address] });
    behind = Number(broker.endpoints.behindProxy0?.split(':')[1]);
    return {
      direct: broker.connection,
      proxied: { brokers: [proxy.address] },
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
