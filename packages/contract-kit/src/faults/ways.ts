import type { ProxiedWay } from '../target.js';
import { createFaultProxy, type FaultProxy, type ProxyOptions } from './proxy.js';

/** Ways to one broker through fault proxies: each case that asks gets a proxy of its own. */
export interface FaultWays {
  /** @param configure an adapter that begins at `address` */
  open(configure: (address: string) => ReturnType<ProxiedWay['configure']>): Promise<ProxiedWay>;
  /** Closes what is still open. */
  close(): Promise<void>;
}

/** @param options of every proxy */
export function faultWays(options: Omit<ProxyOptions, 'port'>): FaultWays {
  const proxies = new Set<FaultProxy>();
  const close = async (proxy: FaultProxy): Promise<void> => {
    proxies.delete(proxy);
    await proxy.close();
  };
  return {
    async open(configure) {
      const proxy = await createFaultProxy(options);
      proxies.add(proxy);
      return { proxy, configure: () => configure(proxy.address), close: () => close(proxy) };
    },
    close: async () => void (await Promise.all([...proxies].map(close))),
  };
}
