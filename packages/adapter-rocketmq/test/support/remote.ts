import { systemClock } from '@anymq/core/adapter';
import type { RocketmqOptions } from '../../src/index.js';
import { keysOf } from '../../src/internal/keys.js';
import { Remoting } from '../../src/internal/remoting.js';
import { parseOptions } from '../../src/options.js';

/** A connection of the remoting protocol to `host:port`, for what only administrators ask. */
export async function remote<T>(
  address: string,
  options: RocketmqOptions,
  use: (remoting: Remoting) => Promise<T>,
): Promise<T> {
  const credentials = keysOf(parseOptions(options));
  const remoting = new Remoting(address, { clock: systemClock(), credentials, timeoutMs: 5_000 });
  try {
    return await use(remoting);
  } finally {
    await remoting.close();
  }
}
