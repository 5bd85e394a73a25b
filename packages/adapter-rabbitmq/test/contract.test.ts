import { BrokerError, ensureBroker } from '@anymq/brokers';
import { BrokerMissing, contract } from '@anymq/contract-kit';
import { afterAll, describe, test } from '@jest/globals';
import { rabbitmq } from '../src/index.js';
import { Cleanup } from './support/cleanup.js';
import { nativePeer } from './support/native-peer.js';
import { URL } from './support/runtime.js';

const cleanup = new Cleanup();

async function open() {
  try {
    await ensureBroker('rabbitmq');
  } catch (error) {
    throw error instanceof BrokerError ? new BrokerMissing(error.message) : error;
  }
  return {
    configure: () => cleanup.watch(rabbitmq({ url: URL })),
    unreachable: () => rabbitmq({ url: 'amqp://127.0.0.1:1' }),
    unauthorised: (secret: string) => rabbitmq({ url: 'amqp://127.0.0.1', username: 'guest', password: secret }),
    native: nativePeer,
    close: () => cleanup.run(),
  };
}

await contract({ name: 'rabbitmq', open }, { describe, test, afterAll });
