import { afterEach, describe, expect, test } from '@jest/globals';
import { stopPrivate } from '../src/brokers.js';
import { BROKER_NAMES, BrokerError, type PrivateBroker, startPrivate } from '../src/index.js';

/** Formatting, starting and stopping twice, on a machine with two cores. */
const TIMEOUT_MS = 180_000;

describe('a private broker', () => {
  let broker: PrivateBroker | undefined;
  afterEach(async () => broker?.close(), TIMEOUT_MS);

  test.each(BROKER_NAMES)(
    '%s answers, is killed, answers again on the same address, and is gone after close',
    async (name) => {
      broker = await startPrivate(name).catch((error) => {
        if (!(error instanceof BrokerError) || process.env.ANYMQ_TEST_REQUIRE_BROKERS === '1') throw error;
        console.warn(`SKIPPED ${name}: ${error.message}`);
        return undefined;
      });
      if (broker === undefined) return;
      const { connection } = broker;
      await broker.kill();
      await broker.restart();
      expect(broker.connection).toEqual(connection);
      await broker.close();
      expect(await stopPrivate()).not.toContain(name);
    },
    TIMEOUT_MS,
  );
});
