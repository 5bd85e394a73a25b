import { contract, type OpenTarget } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { type Availability, createMemoryBroker, memory } from '../src/index.js';
import { nativePeer } from './support/native-peer.js';

async function open(): Promise<OpenTarget> {
  const broker = createMemoryBroker();
  const refusing = (availability: Availability) => {
    const other = createMemoryBroker();
    other.setAvailability(availability);
    return memory({ broker: other });
  };
  return {
    configure: () => memory({ broker }),
    unreachable: () => refusing('unavailable'),
    unauthorised: () => refusing('unauthorised'),
    native: async (namespace) => nativePeer(broker, namespace),
  };
}

await contract({ name: 'memory', open }, { describe, test, beforeAll, afterAll });
