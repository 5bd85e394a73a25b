import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createMessaging, deadLetter, fixed, MessagingError, PermanentError } from '../src/index.js';
import { settle } from './support/clock.js';
import { FakeAdapter, type FakeReceiver, incoming } from './support/fake-adapter.js';
import { failing, retries, topic, unkeyed } from './support/retries.js';

const dead = { deadLetter: { topic: 'dead' } } as const;
const idOf = (id: string, group = 'g', source = 'numbers'): string =>
  `dl-${createHash('sha256').update(`anymq\0${source}\0${group}\0${id}`).digest('hex').slice(0, 32)}`;
const permanent = (): void => {
  throw new PermanentError('never');
};

describe('a dead letter', () => {
  test('is written before its message is settled; the key waits for that, others do not', async () => {
    const options = { ...dead, retry: { maxAttempts: 2, backoff: fixed(10) } };
    const work = ({ id }: { id: string }): void => {
      if (id === 'a1') throw new Error('no');
    };
    const { clock, calls, receiver, deliver, written, types, of } = await retries(work, options);
    await deliver('a1', 'a2', 'b1');
    await clock.advance(10);
    expect([calls, receiver.settled]).toEqual([['a1#1@0', 'b1#1@0', 'a1#2@10'], ['b1']]);
    expect(receiver.held).toEqual([
      ['a1', 1],
      ['a1', 2],
    ]);
    written().store();
    await settle();
    expect(receiver.settled).toEqual(['b1', 'a1', 'a2']);
    expect(types()).toEqual(['handler-failed', 'handler-failed', 'dead-lettered']);
    const event = { topic: 'numbers', group: 'g', id: 'a1', attempts: 2, to: 'dead', error: new Error('no') };
    expect(of('dead-lettered')).toEqual([{ type: 'dead-lettered', ...event }]);
    expect(clock.timers).toBe(0);
  });

  test('has body, key, headers, time and type as they were, an id of its own, and the cause', async () => {
    const { adapter, clock, receiver, source, written } = await retries(failing(), {
      ...dead,
      retry: { maxAttempts: 2 },
    });
    const headers = { mine: 'ü', 'anymq-dead-letter-code': 'of an earlier letter' };
    const record = { ...incoming(source, 'a1', 7, { key: 'a', headers, time: 99, type: 'T' }), position: '3:4' };
    receiver.deliver([record]);
    await clock.advance(1_000);
    expect(adapter.opened).toMatchObject([{ name: 'dead', keyed: true, history: 'full', envelope: 'lean' }]);
    const [letter] = written().records;
    expect(letter?.body).toBe(record.body);
    expect(letter).toMatchObject({ id: idOf('a1'), key: 'a', time: 99, type: 'T', contentType: 'application/json' });
    const cause = {
      topic: 'numbers',
      group: 'g',
      position: '3:4',
      id: 'a1',
      attempts: '2',
      'first-failed': '2023-11-14T22:13:20.000Z',
      'last-failed': '2023-11-14T22:13:21.000Z',
      error: 'Error',
      message: 'attempt 2',
      stack: expect.stringMatching(/^[0-9a-f]{16}$/),
    };
    const expected = Object.entries(cause).map(([name, value]) => [`anymq-dead-letter-${name}`, value]);
    expect(letter?.headers).toEqual({ mine: 'ü', ...Object.fromEntries(expected) });
  });

  test.each([
    ['a PermanentError', permanent, { 'anymq-dead-letter-error': 'PermanentError' }],
    ['deadLetter()', () => deadLetter('asked'), { 'anymq-dead-letter-message': 'asked' }],
    [
      'a MessagingError that classify gives up',
      () => {
        throw new MessagingError('TIMEOUT', `${'x'.repeat(499)}\u{1f600}`);
      },
      { 'anymq-dead-letter-code': 'TIMEOUT', 'anymq-dead-letter-message': `${'x'.repeat(499)}\ufffd` },
    ],
  ])('%s is one at once', async (_, work, headers) => {
    const classify = (error: unknown) => (error instanceof Error ? ('dead-letter' as const) : ('retry' as const));
    const { calls, deliver, receiver, written } = await retries(work, { ...dead, retry: { classify } });
    await deliver('a');
    expect(calls).toEqual(['a#1@0']);
    expect(written().records[0]?.headers).toMatchObject(headers);
    written().store();
    await settle();
    expect(receiver.settled).toEqual(['a']);
  });

  test('what cannot be read is one without a call, with the attempts it had', async () => {
    const { calls, receiver, source, written, types, of } = await retries(() => {}, dead);
    const broken = { ...incoming(source, 'x', 1, { key: 'x' }), body: Buffer.from('{') };
    receiver.deliver([broken, incoming(source, 'y', 'no number', { key: 'y', attempts: 3 })]);
    await settle();
    const said = (name: string) => written().records.map(({ headers }) => headers?.[`anymq-dead-letter-${name}`]);
    expect([said('code'), said('attempts')]).toEqual([
      ['DECODING_FAILED', 'INVALID_VALUE'],
      ['0', '3'],
    ]);
    written().store();
    await settle();
    expect([calls, receiver.settled, receiver.held, types()]).toEqual([
      [],
      ['x', 'y'],
      [],
      ['dead-lettered', 'dead-lettered'],
    ]);
    expect(of('dead-lettered').map(({ attempts }) => attempts)).toEqual([0, 3]);
  });

  test.each([1_990, 1_700, 1_500])(
    'always fits: %i bytes of own headers leave out what is least needed',
    async (own) => {
      const { receiver, source, written } = await retries(() => deadLetter(new Error('m'.repeat(600))), dead);
      receiver.deliver([incoming(source, 'x', 1, { key: 'x', headers: { h: 'v'.repeat(own - 1) } })]);
      await settle();
      const headers = written().records[0]?.headers ?? {};
      const size = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
      expect([size <= 2_000, headers.h?.length]).toEqual([true, own - 1]);
      expect(headers['anymq-dead-letter-id']).toBe(own === 1_990 ? undefined : 'x');
      expect(headers['anymq-dead-letter-message']).toBeUndefined();
    },
  );

  test('that cannot be written leaves its message unsettled, says so, and is tried until it is', async () => {
    const { adapter, clock, receiver, deliver, written, of, types } = await retries(permanent, dead);
    adapter.openSenderError = new Error('permanent: no such topic');
    await deliver('a1', 'a2');
    expect([receiver.settled, adapter.writes]).toEqual([[], []]);
    expect(of('dead-letter-failed')).toMatchObject([{ topic: 'numbers', id: 'a1', error: { code: 'NOT_FOUND' } }]);
    adapter.openSenderError = undefined;
    await clock.advance(200);
    written().answer({ status: 'not-sent', error: new Error('permanent: refused') });
    await settle();
    expect([receiver.settled, of('dead-letter-failed').length]).toEqual([[], 2]);
    await clock.advance(400);
    expect(written().records[0]?.id).toBe(idOf('a1'));
    written().store();
    await settle();
    expect([receiver.settled, types().filter((type) => type === 'dead-lettered').length]).toEqual([['a1'], 1]);
    expect(written().records[0]?.id).toBe(idOf('a2'));
  });

  test('whose answer was lost is written again with the same id', async () => {
    const { adapter, clock, receiver, deliver, written, of } = await retries(permanent, dead, unkeyed);
    await deliver('a');
    written().answer({ status: 'unknown', error: new Error('cut') });
    await clock.advance(200);
    expect(adapter.writes.map(({ records }) => records[0]?.id)).toEqual(Array(2).fill(idOf('a', 'g', 'plain')));
    written().store();
    await settle();
    expect([receiver.settled, of('dead-letter-failed')]).toEqual([['a'], []]);
  });

  test('that gets no answer is an event after ten seconds', async () => {
    const { clock, deliver, of } = await retries(permanent, dead);
    await deliver('a');
    await clock.advance(9_000);
    expect(of('dead-letter-failed')).toEqual([]);
    await clock.advance(1_500);
    expect(of('dead-letter-failed')).toMatchObject([{ error: { code: 'INDETERMINATE' } }]);
  });

  test('of a batch is written for each item that is given up, and the rest of the key waits for them', async () => {
    const work = ((deliveries: readonly { id: string }[]) =>
      deliveries.map(({ id }) => (id === 'a3' ? undefined : id === 'a2' ? { kind: 'ack' } : deadLetter()))) as never;
    const options = { ...dead, batch: { size: 3, maxWaitMs: 0 } };
    const { calls, receiver, deliver, written } = await retries(work, options);
    await deliver('a1', 'a2', 'b1');
    await deliver('a3');
    const ids = new Set(written().records.map(({ id }) => id));
    expect([calls.length, receiver.settled, ids.size]).toEqual([1, ['a2'], 2]);
    written().store();
    await settle();
    expect([calls.length, [...receiver.settled].sort()]).toEqual([2, ['a1', 'a2', 'a3', 'b1']]);
  });
});

describe('while a letter is being written', () => {
  test('a loss settles nothing, and nobody writes it again', async () => {
    const { adapter, clock, receiver, source, deliver, written, types, subscription } = await retries(permanent, dead);
    await deliver('a1', 'a2');
    source.lost();
    written().store();
    await clock.advance(20_000);
    expect([receiver.settled, adapter.writes.length, subscription.inFlight]).toEqual([[], 1, 0]);
    expect(types()).toEqual(['handler-failed']);
  });

  test('a loss during the wait for another try ends it', async () => {
    const { adapter, clock, source, deliver, subscription } = await retries(permanent, dead);
    adapter.openSenderError = new Error('permanent');
    await deliver('a1');
    source.lost();
    adapter.openSenderError = undefined;
    await clock.advance(20_000);
    expect([adapter.writes, subscription.inFlight, clock.timers]).toEqual([[], 0, 0]);
  });

  test('a drain waits for the try under way, and hands its settlement over', async () => {
    const { receiver, source, deliver, written } = await retries(permanent, dead);
    await deliver('a1');
    let drained = false;
    const drain = source.drain().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    written().store();
    await drain;
    expect(receiver.settled).toEqual(['a1']);
  });

  test('close waits for it; when its time is over the message is given back', async () => {
    const { adapter, clock, consumer, receiver, deliver, types } = await retries(permanent, dead);
    await deliver('a1');
    const closed = consumer.close();
    await clock.advance(4_999);
    expect(receiver.closed).toBe(0);
    await clock.advance(1);
    await closed;
    expect([receiver.settled, receiver.closed, adapter.writes.length, clock.timers]).toEqual([[], 1, 1, 0]);
    expect(types()).toEqual(['handler-failed']);
  });

  test('close does not wait for another try', async () => {
    const { adapter, clock, consumer, receiver, deliver } = await retries(permanent, dead);
    adapter.openSenderError = new Error('permanent');
    await deliver('a1');
    await consumer.close();
    expect([receiver.settled, receiver.closed, clock.timers]).toEqual([[], 1, 0]);
  });
});

test('a dead-letter topic may be on another broker', async () => {
  const [here, there] = [new FakeAdapter(), new FakeAdapter()];
  const messaging = await createMessaging({ brokers: { here, there }, default: 'here', routes: { dead: 'there' } });
  const consumer = messaging.consumer({ group: 'g' });
  consumer.subscribe(topic, permanent, dead);
  await consumer.start();
  const receiver = here.receivers[0] as FakeReceiver;
  receiver.deliver([incoming(receiver.sink.own('source'), 'a', 1, { key: 'a' })]);
  await settle();
  there.writes[0]?.store();
  await settle();
  expect([here.writes.length, there.writes.length, receiver.settled]).toEqual([0, 1, ['a']]);
  await messaging.close();
});
