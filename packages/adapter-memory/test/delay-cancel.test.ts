import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { memory, seededScheduler } from '../src/index.js';
import { topic, World } from './support/delayed.js';

const HOUR = 3_600_000;

describe('cancelling', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    expect(await world.close()).toBe(0);
  });

  const send = async (delayMs: number, n = 0, from = world.process()): Promise<string> => {
    const { cancelToken } = await (await from).producer().send(topic, { key: 'a', n }, { delayMs });
    return cancelToken ?? '';
  };

  const ask = async (token: string, of = world.process()): Promise<string> => {
    const answer = (await of).producer().cancel(token);
    await world.pass(1);
    return answer;
  };

  test.each([500, 5_000, 90_000, 24 * HOUR])(
    'a message due in %i ms: nobody ever gets it',
    async (delayMs) => {
      const messaging = await world.process();
      await world.consumer(messaging);
      const token = await send(delayMs, 0, Promise.resolve(messaging));
      await world.pass(delayMs / 2);
      expect(await ask(token, Promise.resolve(messaging))).toBe('cancelled');
      expect(await ask(token)).toBe('cancelled');
      await world.pass(delayMs / 2);
      expect(await ask(token)).toBe('cancelled');
      await world.pass(10_000);
      expect(world.arrivals).toEqual([]);
    },
    60_000,
  );

  test('is too late from the moment on when it is due', async () => {
    const messaging = await world.process();
    await world.consumer(messaging);
    const early = await send(3_000, 0, Promise.resolve(messaging));
    const late = await send(3_000, 1, Promise.resolve(messaging));
    await world.pass(2_999);
    const answer = messaging.producer().cancel(early);
    await world.pass(0);
    expect(await answer).toBe('cancelled');
    await world.pass(1);
    expect(await ask(late)).toBe('too-late');
    await world.pass(HOUR / 2);
    expect(await ask(late)).toBe('too-late');
    expect(await ask(early)).toBe('cancelled');
    expect(world.numbers()).toEqual([1]);
  });

  test('of what was due at once is too late', async () => {
    expect(await ask(await send(0))).toBe('too-late');
  });

  test.each([
    '',
    'x',
    'é',
    Buffer.from('[2,"t",1,"x"]').toString('base64url'),
    Buffer.from('[1,2]').toString('base64url'),
  ])('refuses %j, which is no token', async (token) => {
    await expect((await world.process()).producer().cancel(token)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('holds whoever owns the gate later', async () => {
    const owner = await world.process();
    const token = await send(8_000, 0, Promise.resolve(owner));
    await send(8_000, 1, Promise.resolve(owner));
    expect(await ask(token, Promise.resolve(owner))).toBe('cancelled');
    await world.pass(7_500);
    const next = await world.process();
    await world.consumer(next);
    await world.pass(200);
    await owner.close();
    expect(await ask(token, Promise.resolve(next))).toBe('cancelled');
    await world.pass(10_000);
    expect(world.numbers()).toEqual([1]);
  });

  test('is not undone by a process that stood still while another one cancelled', async () => {
    const own = new World({ leaseMs: 900 });
    const frozen = own.wall();
    const held: (() => void)[] = [];
    let still = false;
    const sleepy = {
      ...frozen,
      setTimer: (ms: number, run: () => void) => frozen.setTimer(ms, () => (still ? held.push(run) : run())),
    };
    const way = own.broker.way();
    const first = await own.process(memory({ broker: way }), sleepy);
    const { cancelToken = '' } = await first.producer().send(topic, { key: 'a', n: 0 }, { delayMs: 9_000 });
    await own.pass(8_500);
    still = true;
    const second = await own.process();
    await own.consumer(second);
    const answer = second.producer().cancel(cancelToken);
    await own.pass(490);
    await own.pass(3_000);
    still = false;
    for (const run of held.splice(0)) run();
    await own.pass(10_000);
    expect([await answer, own.numbers()]).toEqual(
      (await answer) === 'cancelled' ? ['cancelled', []] : ['too-late', [0]],
    );
    expect(await own.close()).toBe(0);
  });

  test('races its delivery: whatever the interleaving, each message is cancelled or delivered, never both, never neither', async () => {
    let [cancelled, delivered] = [0, 0];
    for (let seed = 0; seed < 40; seed += 1) {
      const own = new World({ schedule: seededScheduler(seed) });
      const [sender, consumer, canceller] = await Promise.all([own.process(), own.process(), own.process()]);
      await own.consumer(consumer);
      const producer = sender.producer();
      const items = Array.from({ length: 30 }, (_, n) => ({ value: { key: `k${n % 7}`, n }, delayMs: 2_000 + n }));
      const sending = producer.sendBatch(topic, items);
      await own.pass(0);
      const { results } = await sending;
      const tokens = results.map((result) => (result.status === 'sent' ? (result.receipt.cancelToken ?? '') : ''));
      await own.pass(1_990);
      const canceller_ = canceller.producer();
      const answers: Promise<string>[] = [];
      for (let n = 0; n < 30; n += 1) {
        answers.push(canceller_.cancel(tokens[(n * 7 + seed) % 30] as string));
        own.clock.advance(1);
        for (let hop = 0; hop < (seed * 13 + n) % 40; hop += 1) await undefined;
      }
      await own.pass(60_000);
      for (const [i, answer] of (await Promise.all(answers)).entries()) {
        const n = (i * 7 + seed) % 30;
        const arrived = own.numbers().filter((other) => other === n).length;
        expect({ seed, n, answer, arrived }).toEqual({ seed, n, answer, arrived: answer === 'cancelled' ? 0 : 1 });
        if (answer === 'cancelled') cancelled += 1;
        else delivered += 1;
      }
      expect(await own.close()).toBe(0);
    }
    expect(Math.min(cancelled, delivered)).toBeGreaterThan(100);
  }, 120_000);
});
