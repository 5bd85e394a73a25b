import type { NativePeer } from '@anymq/contract-kit';
import type { MemoryBroker } from '../../src/index.js';

/** The broker object itself is the plain client. */
export function nativePeer(broker: MemoryBroker, namespace: string): NativePeer {
  return {
    async send(topic, message) {
      broker.publish(`${namespace}.${topic}`, message);
    },
    read: async (topic, count) =>
      broker
        .messages(`${namespace}.${topic}`)
        .slice(0, count)
        .map(({ body, key, headers, id }) => ({ body, key, headers: { ...headers, id } })),
    deleteTopic: async (topic) => broker.deleteTopic(`${namespace}.${topic}`),
    close: async () => {},
  };
}
