import { type ContractTarget, type OpenTarget, type Outage, versionOf } from '@anymq/contract-kit';
import { type Availability, createMemoryBroker, type MemoryBroker, memory } from '../../src/index.js';
import { nativePeer } from './native-peer.js';

function outageOf(broker: MemoryBroker): Outage {
  const way = broker.way();
  return {
    configure: () => memory({ broker: way }),
    begin: () => way.setAvailability('unavailable'),
    end: () => way.setAvailability('up'),
  };
}

async function open(): Promise<OpenTarget> {
  const broker = createMemoryBroker({ leaseMs: 1_000 });
  const refusing = (availability: Availability) => {
    const other = createMemoryBroker({ leaseMs: 1_000 });
    other.setAvailability(availability);
    return memory({ broker: other });
  };
  return {
    configure: () => memory({ broker }),
    unreachable: () => refusing('unavailable'),
    unauthorised: () => refusing('unauthorised'),
    ways: 3,
    outage: () => outageOf(broker),
    process: () => ({
      module: new URL('./process-way.js', import.meta.url).href,
      connection: { there: true },
      unreachable: {},
    }),
    about: () => ({ adapter: versionOf('@anymq/adapter-memory', import.meta.url) }),
    checking: () => memory({ broker, topology: 'check' }),
    native: async (namespace) => nativePeer(broker, namespace),
  };
}

/** Memory as the contract kit needs it. */
export const target: ContractTarget = { name: 'memory', open };
