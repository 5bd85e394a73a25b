import { describe, expect, test } from '@jest/globals';
import { classify, MemoryFault } from '../src/errors.js';
import { createMemoryBroker, memory, virtualClock } from '../src/index.js';
import { FakeConsumer } from './support/fake-consumer.js';
import { brokerOn, processOn, receiverSpec, record, runtimeOn, topicSpec } from './support/process.js';

describe('classify', () => {
  test.each([
    [new MemoryFault('unavailable', ''), 'UNAVAILABLE', true],
    [new MemoryFault('full', ''), 'UNAVAILABLE', true],
    [new MemoryFault('unauthorised', ''), 'UNAUTHORISED', false],
    [new MemoryFault('missing', ''), 'NOT_FOUND', false],
    [new MemoryFault('stopped', ''), 'CLOSED', false],
    [new Error('anything'), 'INTERNAL', false],
    [undefined, 'INTERNAL', false],
  ])('%s', (error, code, retryable) => expect(classify(error)).toEqual({ code, retryable }));
});

describe('a broker that refuses', () => {
  test.each(['unavailable', 'unauthorised'] as const)(
    '%s: nothing new is accepted, until it is up again',
    async (state) => {
      const clock = virtualClock();
      const broker = createMemoryBroker({ clock });
      const process = await processOn(broker, clock);
      const sender = await process.openSender(topicSpec());
      broker.setAvailability(state);

      const late = memory({ broker }).create(runtimeOn(clock));
      await expect(late.connect(new AbortController().signal)).rejects.toMatchObject({ refusal: state });
      expect(() => late.native).toThrow(/not connected/);
      await expect(process.openSender(topicSpec())).rejects.toMatchObject({ refusal: state });
      await expect(process.openReceiver(receiverSpec(), new FakeConsumer('a'))).rejects.toMatchObject({
        refusal: state,
      });
      expect(await sender.write(0, [record('a', 'k')])).toMatchObject([
        { status: 'not-sent', error: { refusal: state } },
      ]);
      expect(await process.health()).toEqual({ ready: false, reason: expect.stringContaining(state) });

      broker.setAvailability('up');
      await late.connect(new AbortController().signal);
      expect(await sender.write(0, [record('a', 'k')])).toMatchObject([{ status: 'stored' }]);
      expect(await process.health()).toEqual({ ready: true, latencyMs: 0 });
      expect(broker.messages('test.orders')).toHaveLength(1);
    },
  );

  test('an aborted connect rejects with the reason', async () => {
    const clock = virtualClock();
    const adapter = memory({ broker: brokerOn(clock) }).create(runtimeOn(clock));
    await expect(adapter.connect(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await expect(adapter.openSender(topicSpec())).rejects.toMatchObject({ refusal: 'stopped' });
  });
});

describe('conflicts name both sides', () => {
  test('a topic with other settings', async () => {
    const clock = virtualClock();
    const process = await processOn(brokerOn(clock), clock);
    await process.openSender(topicSpec());
    await process.openSender(topicSpec({ envelope: 'cloudevents', type: 'other' }));
    const expected = { code: 'CONFLICT', message: expect.stringMatching(/keyed with history 'full'.*not keyed with/) };
    await expect(process.openSender(topicSpec({ keyed: false }))).rejects.toMatchObject(expected);
    const history = { code: 'CONFLICT', message: expect.stringMatching(/history 'full'.*history 'none'/) };
    const topic = topicSpec({ history: 'none' });
    await expect(process.openReceiver(receiverSpec({ topic }), new FakeConsumer('a'))).rejects.toMatchObject(history);
  });

  test('a member with another charter, also when nobody else is there any more', async () => {
    const clock = virtualClock();
    const process = await processOn(brokerOn(clock), clock);
    const first = await new FakeConsumer('a').join(process, receiverSpec({ charter: 'earliest' }));
    await first.close();
    const second = process.openReceiver(receiverSpec({ charter: 'latest' }), new FakeConsumer('b'));
    const expected = { code: 'CONFLICT', message: expect.stringMatching(/'earliest'.*'latest'/) };
    await expect(second).rejects.toMatchObject(expected);
  });
});
