import { describe, expect, test } from '@jest/globals';
import {
  createMessaging,
  discard,
  exponential,
  fixed,
  memoryDeduplicationStore,
  PermanentError,
  retry,
  steps,
} from '../src/index.js';
import { settle } from './support/clock.js';
import { FakeAdapter, incoming } from './support/fake-adapter.js';
import { failing, retries, topic, unkeyed } from './support/retries.js';

describe('retry', () => {
  test.each([1, 2, 5])('maxAttempts %i is exactly so many calls, the last with that attempt', async (maxAttempts) => {
    const options = { retry: { maxAttempts, backoff: fixed(10) }, deadLetter: 'none' } as const;
    const { clock, calls, receiver, deliver, of } = await retries(failing(), options);
    await deliver('a');
    await clock.advance(10_000);
    expect(calls).toEqual(Array.from({ length: maxAttempts }, (_, n) => `a#${n + 1}@${10 * n}`));
    expect([receiver.settled, of('handler-failed').length, clock.timers]).toEqual([['a'], maxAttempts, 0]);
    const event = { type: 'discarded', topic: 'numbers', group: 'g', id: 'a', attempts: maxAttempts };
    expect(of('discarded')).toEqual([{ ...event, error: new Error(`attempt ${maxAttempts}`) }]);
  });

  test('a message whose attempts reach a number that was lowered gets one more call', async () => {
    const { calls, receiver, source } = await retries(failing(), { retry: { maxAttempts: 3 }, deadLetter: 'none' });
    receiver.deliver([incoming(source, 'a', 1, { attempts: 7 })]);
    await settle();
    expect([calls, receiver.settled]).toEqual([['a#8@0'], ['a']]);
  });

  test('without maxAttempts it is called every second, as long as it takes', async () => {
    const { clock, calls, receiver, deliver } = await retries(failing(20));
    await deliver('a');
    await clock.advance(30_000);
    expect([calls.length, calls.at(-1), receiver.settled]).toEqual([21, 'a#21@20000', ['a']]);
  });

  test('each step is a floor: a tick before it nothing is called', async () => {
    const { clock, calls, deliver } = await retries(failing(3), { retry: { backoff: steps(5, 700, 20) } });
    await deliver('a');
    for (const ms of [4, 1, 699, 1, 19]) await clock.advance(ms);
    expect(calls).toEqual(['a#1@0', 'a#2@5', 'a#3@705']);
    await clock.advance(1);
    expect(calls.at(-1)).toBe('a#4@725');
  });

  test('jitter comes from the messaging’s random, and is the same for the same', async () => {
    const run = async () => {
      let state = 1;
      const random = (): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      const backoff = exponential({ initialMs: 100, maxMs: 1_000 });
      const { clock, calls, deliver } = await retries(failing(6), { retry: { backoff }, random });
      await deliver('a');
      await clock.advance(10_000);
      return calls;
    };
    const calls = await run();
    expect(calls).toHaveLength(7);
    expect(await run()).toEqual(calls);
    const times = calls.map((call) => Number(call.split('@')[1]));
    for (const [n, time] of times.slice(1).entries()) {
      const wait = time - (times[n] as number);
      expect(wait).toBeGreaterThanOrEqual(100);
      expect(wait).toBeLessThanOrEqual(Math.min(1_000, 100 * 2 ** n));
    }
  });

  test('retry({ afterMs }) waits so long in place of the back-off, and its reason is the event’s error', async () => {
    const later = ({ attempt }: { attempt: number }) =>
      attempt === 1 ? retry({ afterMs: 30_000, reason: 'full' }) : undefined;
    const { clock, calls, deliver, of } = await retries(later, { retry: { backoff: fixed(5) } });
    await deliver('a');
    await clock.advance(40_000);
    expect(calls).toEqual(['a#1@0', 'a#2@30000']);
    expect(of('handler-failed')).toMatchObject([{ attempt: 1, error: 'full' }]);
  });

  test.each([
    [() => retry({ afterMs: -1 })],
    [() => retry({ afterMs: 86_400_001 })],
    [() => retry({ afterMs: 0.5 })],
    [() => retry('reason' as never)],
    [() => retry(new Error('reason') as never)],
    [() => ({ kind: 'ignore' }) as never],
  ])('%s is a failed call with INVALID_ARGUMENT, and comes again', async (outcome) => {
    const { clock, calls, deliver, of } = await retries(({ attempt }) => (attempt === 1 ? outcome() : undefined));
    await deliver('a');
    await clock.advance(1_000);
    expect(calls).toEqual(['a#1@0', 'a#2@1000']);
    expect(of('handler-failed')).toMatchObject([{ error: { code: 'INVALID_ARGUMENT' } }]);
  });

  test('classify decides: a retry, a discard; what throws or answers anything else is a retry and is logged', async () => {
    const classify = ((error: Error) => {
      if (error.message === 'bad') return 'discard';
      if (error.message === 'mad') throw new Error('classify');
      return error.message === 'odd' ? 'maybe' : 'retry';
    }) as never;
    const kinds: Record<string, string> = { a: 'bad', b: 'mad', c: 'odd', d: 'good' };
    const work = ({ id, attempt }: { id: string; attempt: number }): void => {
      if (attempt === 1) throw new Error(kinds[id]);
    };
    const { clock, receiver, deliver, loud, of } = await retries(work, { retry: { classify } });
    await deliver('a', 'b', 'c', 'd');
    expect([receiver.settled, of('discarded').length]).toEqual([['a'], 1]);
    await clock.advance(1_000);
    expect(receiver.settled).toEqual(['a', 'b', 'c', 'd']);
    expect(loud.filter((line) => line.includes('classify'))).toHaveLength(2);
  });

  test('discard() settles at once, with an event and no failure', async () => {
    const { receiver, deliver, types, of } = await retries(() => discard('not mine'));
    await deliver('a');
    expect([receiver.settled, types()]).toEqual([['a'], ['discarded']]);
    expect(of('discarded')).toMatchObject([{ attempts: 1, error: 'not mine' }]);
  });

  test('without deadLetter nothing is given up: it comes again, and the event says why', async () => {
    const work = ({ attempt }: { attempt: number }): void => {
      if (attempt === 1) throw new PermanentError('never');
    };
    const { clock, receiver, deliver, of } = await retries(work);
    await deliver('a');
    await clock.advance(1_000);
    expect(receiver.settled).toEqual(['a']);
    const error = { code: 'INVALID_ARGUMENT', cause: new PermanentError('never') };
    expect(of('handler-failed')).toMatchObject([{ error }]);
    expect(String(of('handler-failed')[0]?.error)).toContain('nothing keeps dead letters here');
  });

  test('what waits of one key goes on in order, also when items of a batch wait differently long', async () => {
    const seen: string[] = [];
    const work = ((deliveries: readonly { id: string; attempt: number }[]) => {
      seen.push(deliveries.map(({ id }) => id).join('+'));
      return deliveries.map(({ id, attempt }) =>
        attempt > 1 ? { kind: 'ack' } : id === 'a3' ? retry({ afterMs: 500 }) : retry({ afterMs: 100 }),
      );
    }) as never;
    const { clock, deliver } = await retries(work, { batch: { size: 4, maxWaitMs: 0 } });
    await deliver('a1', 'a2', 'a3', 'a4');
    await clock.advance(499);
    expect(seen).toEqual(['a1+a2+a3+a4', 'a1+a2']);
    await clock.advance(1);
    expect(seen).toEqual(['a1+a2+a3+a4', 'a1+a2', 'a3+a4']);
    expect(clock.timers).toBe(0);
  });

  test('a key that keeps failing does not starve the others: up to maxHeld waits beside maxInFlight', async () => {
    const work = ({ id }: { id: string }): void => {
      if (id.startsWith('p')) throw new Error('poison');
    };
    const options = { maxInFlight: 3, concurrency: 3, retry: { maxHeld: 4, backoff: fixed(60_000) } };
    const { receiver, clock, deliver, subscription, loud } = await retries(work, options);
    const warned = () => loud.filter((line) => line.includes('more than retry.maxHeld'));
    expect([receiver.spec.maxInFlight, receiver.credits]).toEqual([7, 3]);
    await deliver('p1', 'p2', 'p3');
    expect([receiver.credits, subscription.inFlight, warned()]).toEqual([3, 3, []]);
    await deliver('p4', 'p5', 'a1');
    expect([receiver.settled, receiver.credits]).toEqual([['a1'], 2]);
    expect(warned()).toEqual([expect.stringMatching(/^5 messages of topic 'numbers' wait in group 'g'/)]);
    await deliver('b1', 'c1');
    expect([receiver.settled, receiver.credits]).toEqual([['a1', 'b1', 'c1'], 2]);
    await clock.advance(60_000);
    expect([receiver.credits, subscription.inFlight, warned().length]).toEqual([2, 5, 1]);
  });

  test('a loss drops what waits, and its key is free at once for who comes with it again', async () => {
    const fail = { now: true };
    const work = (): void => {
      if (fail.now) throw new Error('no');
    };
    const { clock, calls, receiver, source, deliver, subscription } = await retries(work, {
      retry: { backoff: fixed(3_600_000) },
    });
    await deliver('a1', 'a2', 'b1');
    fail.now = false;
    source.lost();
    await settle();
    expect([subscription.inFlight, clock.timers]).toEqual([0, 0]);
    receiver.deliver([incoming(receiver.sink.own('next'), 'a1', 1, { key: 'a', attempts: 1 })]);
    await settle();
    expect([calls.at(-1), receiver.settled, receiver.held]).toEqual([
      'a1#2@0',
      ['a1'],
      [
        ['a1', 1],
        ['b1', 1],
      ],
    ]);
  });

  test('deduplication records acknowledged messages alone', async () => {
    const store = memoryDeduplicationStore();
    const work = ({ id }: { id: string }) => (id === 'a' ? discard() : undefined);
    const { receiver, deliver, calls } = await retries(work, { deduplicate: store }, unkeyed);
    await deliver('a', 'b');
    await deliver('a', 'b');
    expect(calls.map((call) => call[0])).toEqual(['a', 'b', 'a']);
    expect([...receiver.settled].sort()).toEqual(['a', 'a', 'b', 'b']);
  });
});

describe('handlerTimeoutMs', () => {
  test('the signal is aborted, the call has failed with TIMEOUT, and the key waits for the handler’s end', async () => {
    let end = (): void => {};
    const signals: AbortSignal[] = [];
    const work = ({ id, attempt, signal }: { id: string; attempt: number; signal: AbortSignal }) => {
      if (id !== 'a1' || attempt > 1) return;
      signals.push(signal);
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    const { clock, calls, receiver, deliver, of } = await retries(work, { handlerTimeoutMs: 50, concurrency: 1 });
    await deliver('a1', 'a2', 'b1');
    await clock.advance(49);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(signals[0]?.reason).toMatchObject({ code: 'TIMEOUT' });
    expect([calls, of('handler-failed')]).toEqual([['a1#1@0'], []]);
    end();
    await settle();
    expect([calls.at(-1), of('handler-failed')]).toMatchObject(['b1#1@50', [{ error: { code: 'TIMEOUT' } }]]);
    await clock.advance(1_000);
    expect(calls.slice(2)).toEqual(['a1#2@1050', 'a2#1@1050']);
    expect([receiver.settled, clock.timers]).toEqual([['b1', 'a1', 'a2'], 0]);
  });

  test('a handler that looks at its signal late sees the abort, in a batch too; one in time costs nothing', async () => {
    let late: AbortSignal | undefined;
    const hang = ((deliveries: readonly { signal: AbortSignal }[]) =>
      new Promise<void>((resolve) => {
        ends.push(() => {
          late = deliveries[1]?.signal;
          resolve();
        });
      })) as never;
    const ends: (() => void)[] = [];
    const options = { handlerTimeoutMs: 50, batch: { size: 2, maxWaitMs: 0 } };
    const { clock, receiver, deliver, of } = await retries(hang, options);
    await deliver('a', 'b');
    await clock.advance(50);
    ends[0]?.();
    await settle();
    expect([late?.aborted, of('handler-failed').length, receiver.settled]).toEqual([true, 2, []]);
  });
});

test.each([
  [{ retry: { maxAttempts: 2 } }, 'INVALID_ARGUMENT', "deadLetter: { topic: 'its-name' }"],
  [{ retry: { maxAttempts: 0 }, deadLetter: 'none' }, 'INVALID_ARGUMENT', 'from 1 to 1000000'],
  [{ retry: { maxHeld: 100_001 } }, 'INVALID_ARGUMENT', 'retry.maxHeld'],
  [{ retry: { attempts: 2 } }, 'INVALID_ARGUMENT', "no option 'attempts'"],
  [{ retry: 5 }, 'INVALID_ARGUMENT', 'retry must be an object'],
  [{ retry: { classify: 'retry' } }, 'INVALID_ARGUMENT', 'retry.classify'],
  [{ retry: { backoff: { kind: 'random' } } }, 'INVALID_ARGUMENT', 'fixed(), exponential() or steps()'],
  [{ retry: { backoff: { kind: 'fixed', delayMs: -1 } } }, 'INVALID_ARGUMENT', 'fixed()'],
  [{ retry: { backoff: steps(1, 86_400_001) } }, 'UNSUPPORTED', 'limits.maxHoldMs'],
  [{ retry: { backoff: exponential({ initialMs: 1, maxMs: 86_400_001 }) } }, 'UNSUPPORTED', 'limits.maxHoldMs'],
  [{ handlerTimeoutMs: 0 }, 'INVALID_ARGUMENT', 'handlerTimeoutMs'],
  [{ deadLetter: 'dlq' }, 'INVALID_ARGUMENT', "{ topic } or 'none'"],
  [{ deadLetter: { topic: 'a_b' } }, 'INVALID_ARGUMENT', 'a_b'],
  [{ deadLetter: { topic: 'numbers' } }, 'INVALID_ARGUMENT', 'itself'],
  [{ deadLetter: { topic: 'dead', group: 'g' } }, 'INVALID_ARGUMENT', "no option 'group'"],
])('%j is refused', async (options, code, words) => {
  const messaging = await createMessaging({ brokers: { main: new FakeAdapter() } });
  expect(() => messaging.consumer({ group: 'g' }).subscribe(topic, () => {}, options as never)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(words) }),
  );
});
