import { BrokerError, ensureBroker } from '@anymq/brokers';
import { BrokerMissing, type ContractTarget } from '@anymq/contract-kit';
import { type RocketmqOptions, rocketmq } from '../../src/index.js';
import { nativePeer } from './native-peer.js';

/** Where the shared broker is. */
export async function sharedBroker(): Promise<RocketmqOptions> {
  const { connection } = await ensureBroker('rocketmq').catch((error: unknown) => {
    throw error instanceof BrokerError ? new BrokerMissing(error.message) : error;
  });
  return connection as unknown as RocketmqOptions;
}

/** RocketMQ as the contract kit needs it. The shared broker takes any credentials, so none are refused. */
export const target: ContractTarget = {
  name: 'rocketmq',
  async open() {
    const options = await sharedBroker();
    return {
      configure: () => rocketmq(options),
      unreachable: () => rocketmq({ endpoints: '127.0.0.1:1' }),
      native: (namespace) => nativePeer(options.endpoints, namespace),
    };
  },
};
