import { contract } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { createMemoryBroker, memory } from '../src/index.js';

await contract(
  {
    name: 'memory',
    async open() {
      const broker = createMemoryBroker();
      const refusing = (availability: 'unavailable' | 'unauthorised') => {
        const other = createMemoryBroker();
        other.setAvailability(availability);
        return memory({ broker: other });
      };
      return {
        configure: () => memory({ broker }),
        unreachable: () => refusing('unavailable'),
        unauthorised: () => refusing('unauthorised'),
      };
    },
  },
  { describe, test, beforeAll, afterAll },
);
