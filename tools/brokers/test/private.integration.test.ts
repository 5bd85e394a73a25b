import { afterEach, describe, expect, test } from '@jest/globals';
import { BROKER_NAMES, type PrivateBroker, startPrivate } from '../src/index.js';
import { Instance } from '../src/instance.js';
import { KINDS } from '../src/kinds.js';
import { missing } from './support/missing.js';

/** Formatting, starting twice, on a machine with two cores. */
const TIMEOUT_MS = 240_000;

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
