import type { ReadRecord, TopicSpec } from '../adapter/spi.js';
import { Follower } from './follower.js';
import type { System } from './system.js';

/**
 * Reads a ledger from its beginning up to now: `each` gets every record in order. Ends with the reason of `stop`, or with `TIMEOUT`
 * when nothing has come for 30 s.
 */
export async function readLedger(
  system: System,
  spec: TopicSpec,
  each: (record: ReadRecord) => void,
  stop: AbortSignal,
): Promise<void> {
  let over = false;
  const take = (record: ReadRecord): void => {
    if (!over) each(record);
  };
  const end = (): void => {
    over = true;
  };
  const follower = new Follower({ system, spec, each: take, ended: stop });
  try {
    await follower.catchUp(stop, end);
  } finally {
    end();
    await follower.close();
  }
}
