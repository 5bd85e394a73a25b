import { describe, expect, test } from '@jest/globals';
import { virtualClock } from '../src/index.js';
import { FakeConsumer } from './support/fake-consumer.js';
import { brokerOn, processOn, receiverSpec, record, send, topicSpec } from './support/process.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

async function world() {
  const clock = virtualClock(1_000);
  const broker = brokerOn(clock);
  const process = await processOn(broker, clock);
  await process.openSender(topicSpec());
  return { clock, broker, process };
}

describe('the broker object beside AnyMQ', () => {
  test('a plain message is delivered, with what its writer gave and defaults for the rest', async () => {
    const { clock, broker, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    const bare = broker.publish('test.orders', { body: bytes('{}') });
    const key = 'k';
    const headers = { tenant: 'ä' };
    broker.publish('test.orders', { body: bytes('x'), id: 'i', key, headers, time: 7, type: 't', contentType: 'c' });
    await clock.advanceAsync(0);
    const [first, second] = a.waiting;
    const defaults = { key: undefined, headers: undefined, time: 1_000, type: undefined, contentType: undefined };
    expect(first).toMatchObject({ id: `memory:${bare}`, position: bare, body: bytes('{}'), ...defaults });
    expect(second).toMatchObject({ id: 'i', key, headers, time: 7, type: 't', contentType: 'c', body: bytes('x') });
    a.settle();
    expect(await a.receiver?.lag()).toBe(0);
  });

  test('a plain reader sees ours, field by field, and consumes nothing', async () => {
    const { broker, process } = await world();
    const [position] = await send(process, [record('i', 'k', { headers: { a: 'b' } })]);
    expect(broker.topics()).toEqual(['test.orders']);
    const golden = {
      position,
      id: 'i',
      key: 'k',
      body: new Uint8Array([1, 2, 3]),
      headers: { a: 'b' },
      time: 5,
      type: 'orders',
      contentType: 'application/json',
      sequence: 0,
    };
    expect(broker.messages('test.orders')).toEqual([golden]);
    expect(broker.messages('test.orders')).toEqual([golden]);
  });

  test('a topic that is deleted is gone with its groups: consumers are told, senders refused until it is there again', async () => {
    const { clock, broker, process } = await world();
    const a = await new FakeConsumer('a').join(process, receiverSpec());
    const codes: string[] = [];
    a.failed = (error) => void codes.push(process.classify(error).code);
    const sender = await process.openSender(topicSpec());
    const write = () => sender.write(0, [record('i', 'k')]);
    await write();
    await clock.advanceAsync(0);
    broker.deleteTopic('test.orders');
    await clock.advanceAsync(0);
    expect([codes, a.owned, broker.topics()]).toEqual([['NOT_FOUND'], [], []]);
    const [refused] = await write();
    expect(refused).toMatchObject({ status: 'not-sent', error: { message: "topic 'test.orders' was deleted" } });
    const b = await new FakeConsumer('b').join(process, receiverSpec());
    expect(await write()).toMatchObject([{ status: 'stored', position: expect.stringMatching(/:0$/) }]);
    await clock.advanceAsync(0);
    expect([b.ids, a.ids]).toEqual([['i'], []]);
  });

  test('an unknown topic is named, with those there are', async () => {
    const { broker } = await world();
    const message = /no topic 'orders'; its topics: test.orders/;
    expect(() => broker.messages('orders')).toThrow(message);
    expect(() => broker.publish('orders', { body: bytes('') })).toThrow(message);
    expect(() => broker.deleteTopic('orders')).toThrow(message);
  });
});
