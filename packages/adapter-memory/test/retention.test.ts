import { describe, expect, test } from '@jest/globals';
import { FakeConsumer } from './support/fake-consumer.js';
import { keyed, receiverSpec, record, send, settled, topicSpec, world } from './support/process.js';

describe('retention', () => {
  test('drops the oldest beyond the bound, but nothing that a group has yet to settle', async () => {
    const { clock, broker, process } = await world({ historyMaxMessages: 10 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await send(process, keyed(50));
    await settled(clock);
    expect(broker.messages('test.orders')).toHaveLength(50);
    a.settle();
    expect(
      broker
        .messages('test.orders')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(
      keyed(50)
        .slice(40)
        .map(({ id }) => id)
        .sort(),
    );
    const late = await new FakeConsumer('late').join(process, receiverSpec({ group: 'late' }));
    await settled(clock);
    expect(late.waiting).toHaveLength(10);
  });

  test('a topic without a group keeps everything for the first one, up to its bytes, and says so when it must drop', async () => {
    const { clock, broker, process, warnings } = await world({
      historyMaxMessages: 1,
      historyMaxBytes: 0,
      backlogMaxBytes: 2_590,
    });
    await send(process, keyed(10));
    expect(broker.messages('test.orders')).toHaveLength(10);
    expect(warnings).toEqual([]);
    await send(process, [record('m10', 'k'), record('m11', 'k')]);
    expect(warnings).toEqual([expect.stringMatching(/'test.orders' has no group and holds 2590 bytes/)]);
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await settled(clock);
    expect([...a.ids].sort()).toEqual(['m10', 'm11', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9']);
  });

  test('a topic without history keeps only what its groups need, and refuses sends without a group', async () => {
    const { clock, broker, process } = await world();
    const topic = topicSpec({ history: 'none' });
    await expect(send(process, keyed(1), topic)).rejects.toThrow(/UNROUTABLE|not stored/);
    const a = await new FakeConsumer('a').join(process, receiverSpec({ topic, startFrom: 'latest' }));
    await send(process, keyed(20), topic);
    await settled(clock);
    expect(a.waiting).toHaveLength(20);
    expect(broker.messages('test.orders')).toHaveLength(20);
    a.settle();
    expect(broker.messages('test.orders')).toHaveLength(0);
  });

  test('a group that is behind fills the topic: sends are refused as retryable until it catches up', async () => {
    const { clock, process } = await world({ historyMaxBytes: 0, backlogMaxBytes: 10_000 });
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    await expect(send(process, keyed(100))).rejects.toThrow(/not stored/);
    const sender = await process.openSender(topicSpec());
    const [refused] = await sender.write(0, [record('x', 'k')]);
    expect(refused?.status).toBe('not-sent');
    const error = refused?.status === 'not-sent' ? refused.error : undefined;
    expect(process.classify(error)).toEqual({ code: 'UNAVAILABLE', retryable: true });
    await settled(clock);
    a.settle();
    await send(process, [record('y', 'k')]);
  });
});
