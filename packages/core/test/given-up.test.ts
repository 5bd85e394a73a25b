import { describe, expect, test } from '@jest/globals';
import type { IncomingRecord } from '../src/adapter/spi.js';
import { settle } from './support/clock.js';
import { incoming } from './support/fake-adapter.js';
import { failing, retries } from './support/retries.js';

const dead = { deadLetter: { topic: 'dead' } } as const;
const cause = { code: 'GIVEN_UP_BY_BROKER', message: 'The broker gave the message up by itself: expired.' };
/** Of key `a`, as a broker's limits took it out of the group's line. */
const givenUp = (source: IncomingRecord['source'], id: string, attempts = 0): IncomingRecord =>
  incoming(source, id, 'no number', { key: 'a', attempts, givenUp: 'expired' });

describe('what the broker gave up', () => {
  test('reaches no handler and becomes a letter with the attempts that there were, and is settled when that is stored', async () => {
    const { calls, receiver, source, written, of, types } = await retries(() => {}, {
      ...dead,
      retry: { maxAttempts: 9 },
    });
    receiver.deliver([givenUp(source, 'a1', 3)]);
    await settle();
    expect(receiver.settled).toEqual([]);
    const { body, key, headers } = written().records[0] ?? {};
    expect([Buffer.from(body ?? []).toString(), key]).toEqual(['"no number"', 'a']);
    expect(headers).toMatchObject({
      'anymq-dead-letter-code': cause.code,
      'anymq-dead-letter-error': 'GivenUpByBroker',
      'anymq-dead-letter-message': cause.message,
      'anymq-dead-letter-attempts': '3',
    });
    written().store();
    await settle();
    expect([calls, receiver.settled, receiver.held]).toEqual([[], ['a1'], []]);
    expect(types()).toEqual(['dead-lettered']);
    expect(of('dead-lettered')).toMatchObject([{ id: 'a1', attempts: 3, to: 'dead', error: cause }]);
  });

  test('does not wait for its key, nor its key for it', async () => {
    const { calls, receiver, source, deliver, written } = await retries(failing(1), dead);
    await deliver('a1');
    receiver.deliver([givenUp(source, 'a0')]);
    await settle();
    written().store();
    await settle();
    expect([calls, receiver.settled]).toEqual([['a1#1@0'], ['a0']]);
  });

  test('does not reach a batch handler among others', async () => {
    const batches: number[] = [];
    const work = (deliveries: unknown): void => void batches.push((deliveries as readonly unknown[]).length);
    const { receiver, source, written } = await retries(work as never, { ...dead, batch: { size: 3 } });
    const [first, last] = ['b1', 'c1'].map((id) => incoming(source, id, 1, { key: id }));
    receiver.deliver([first, givenUp(source, 'a1'), last] as IncomingRecord[]);
    await settle();
    expect([batches, receiver.settled]).toEqual([[2], ['b1', 'c1']]);
    written().store();
    await settle();
    expect(receiver.settled).toEqual(['b1', 'c1', 'a1']);
  });

  test('is discarded, counted and said, where nothing is to be kept', async () => {
    const { calls, receiver, source, of } = await retries(() => {}, { deadLetter: 'none' });
    receiver.deliver([givenUp(source, 'a1')]);
    await settle();
    expect([calls, receiver.settled]).toEqual([[], ['a1']]);
    expect(of('discarded')).toMatchObject([{ id: 'a1', error: cause }]);
  });

  test('stays unsettled where nothing says what is to become of it, and no handler is called for want of that', async () => {
    const { calls, clock, receiver, source, types } = await retries(() => {});
    receiver.deliver([givenUp(source, 'a1')]);
    await settle();
    await clock.advance(1_000);
    expect([calls, receiver.settled, receiver.held]).toEqual([[], [], []]);
    expect(types()).toEqual(['handler-failed', 'handler-failed']);
  });
});
