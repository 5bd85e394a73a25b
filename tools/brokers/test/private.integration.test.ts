import { afterEach, describe, expect, test } from '@jest/globals';
import { BROKER_NAMES, type BrokerName, MissingTool, type PrivateBroker, startPrivate } from '../src/index.js';
import { Instance } from '../src/instance.js';
import { KINDS } from '../src/kinds.js';
import { jarsFolder, stateFolder } from '../src/state.js';

/** Formatting, starting twice, on a machine with two cores. */
const TIMEOUT_MS = 240_000;

/** Why this machine cannot start it; undefined when it can. */
async function missing(name: BrokerName): Promise<string | undefined> {
  const place = { folder: stateFolder(), jars: jarsFolder(stateFolder()), ports: {} };
  return KINDS[name].requirements(place).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof MissingTool && process.env.ANYMQ_TEST_REQUIRE_BROKERS !== '1') return error.message;
      throw error;
    },
  );
}

const portsOf = (endpoints: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(endpoints).map(([use, address]) => [use, Number(address.split(':')[1])]));

for (const name of BROKER_NAMES) {
  const reason = await missing(name);
  if (reason !== undefined) console.warn(`SKIPPED ${name}: ${reason}`);
  const run = reason === undefined ? describe : describe.skip;

  run(`a private ${name}`, () => {
    let broker: PrivateBroker | undefined;
    afterEach(async () => broker?.close(), TIMEOUT_MS);

    test(
      'answers; is killed and answers again on the same ports; is suspended and goes on; is gone in the end',
      async () => {
        broker = await startPrivate(name);
        const ports = portsOf(broker.endpoints);
        const answers = () => KINDS[name].answers(ports);
        expect(await answers()).toBe(true);
        await broker.kill();
        expect(await answers()).toBe(false);
        await broker.restart();
        expect(await answers()).toBe(true);
        broker.suspend();
        expect(await answers()).toBe(false);
        broker.resume();
        expect(await answers()).toBe(true);
        await broker.stop();
        expect(await answers()).toBe(false);
        await broker.close();
        const place = { folder: '/none', jars: '/none', ports };
        expect(await new Instance(KINDS[name], place).isBusy()).toBe(false);
      },
      TIMEOUT_MS,
    );
  });
}
