import { BrokerError, startPrivate } from '@anymq/brokers';
import { BrokerMissing, contract } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { rabbitmq } from '../src/index.js';
import { nativePeer } from './support/native-peer.js';

/** A broker of its own: a run leaves hundreds of queues behind, of which the shared one's file handles bear about 300. */
async function open() {
  const broker = await startPrivate('rabbitmq').catch((error: unknown) => {
    throw error instanceof BrokerError ? new BrokerMissing(error.message) : error;
  });
  const url = String(broker.connection.url);
  return {
    configure: () => rabbitmq({ url }),
    unreachable: () => rabbitmq({ url: 'amqp://127.0.0.1:1' }),
    unauthorised: (secret: string) => rabbitmq({ url, username: 'guest', password: secret }),
    native: (namespace: string) => nativePeer(url, namespace),
    close: () => broker.close(),
  };
}

await contract({ name: 'rabbitmq', open }, { describe, test, beforeAll, afterAll });
