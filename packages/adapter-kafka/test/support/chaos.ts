import { startPrivate } from '@anymq/brokers';
import { type ChaosConnection, type ChaosTarget, createFaultProxy } from '@anymq/contract-kit';
import { type KafkaOptions, kafka } from '../../src/index.js';

/** Members of a chaos run are processes: each imports this module. */
export const configure = (connection: ChaosConnection) => kafka(connection as unknown as KafkaOptions);

/** Kafka for chaos: with the defaults that users run. */
export const target: ChaosTarget = {
  name: 'kafka',
  module: import.meta.url,
  staleMs: 10_000,
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
