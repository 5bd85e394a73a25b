import { EventEmitter } from 'node:events';
import { systemClock, type WriteResult } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConfirmChannel } from '../src/client.js';
import { Confirms } from '../src/internal/confirms.js';

class FakeChannel extends EventEmitter {
  readonly published: string[] = [];
  full = false;
  publish(_exchange: string, id: string): boolean {
    if (id === 'bad') throw new RangeError('Encoded field table exceeds');
    this.published.push(id);
    return !this.full;
  }
}

function open(timeoutMs = 10_000): {
  channel: FakeChannel;
  confirms: Confirms;
  write(...ids: string[]): Promise<readonly WriteResult[]>;
} {
  const channel = new FakeChannel();
  const unroutable = (id: string): WriteResult => ({ status: 'not-sent', error: `unroutable ${id}` });
  const confirms = new Confirms(channel as unknown as ConfirmChannel, { clock: systemClock(), timeoutMs, unroutable });
  opened.push(confirms);
  const write = (...ids: string[]): Promise<readonly WriteResult[]> =>
    confirms.write({
      count: ids.length,
      idOf: (index) => ids[index] as string,
      publish: (on, index) => on.publish('', ids[index] as string, Buffer.alloc(0)),
    });
  return { channel, confirms, write };
}

const statuses = async (results: Promise<readonly WriteResult[]>): Promise<string[]> =>
  (await results).map(({ status }) => status);

const opened: Confirms[] = [];
afterEach(() => {
  // Ends their timers.
  for (const confirms of opened.splice(0)) confirms.stop(new Error('the test is over'));
});

describe('confirms', () => {
  test('come one by one, many at once, and in any order', async () => {
    const { channel, write } = open();
    const first = write('a', 'b', 'c');
    const second = write('d', 'e');
    channel.emit('ack', { deliveryTag: 5, multiple: false });
    channel.emit('ack', { deliveryTag: 2, multiple: true });
    channel.emit('nack', { deliveryTag: 4, multiple: true });
    expect(await statuses(first)).toEqual(['stored', 'stored', 'unknown']);
    expect(await statuses(second)).toEqual(['unknown', 'stored']);
  });

  test('know what came back from what was stored', async () => {
    const { channel, write } = open();
    const writing = write('a', 'b');
    channel.emit('return', { properties: { messageId: 'a' } });
    channel.emit('ack', { deliveryTag: 2, multiple: true });
    expect(await writing).toEqual([{ status: 'not-sent', error: 'unroutable a' }, { status: 'stored' }]);
  });

  test('leave a gap for what the library refuses to encode', async () => {
    const { channel, write } = open();
    const writing = write('a', 'bad', 'c', 'bad', 'e');
    channel.emit('ack', { deliveryTag: 3, multiple: false });
    channel.emit('nack', { deliveryTag: 2, multiple: false });
    channel.emit('ack', { deliveryTag: 1, multiple: false });
    expect(await statuses(writing)).toEqual(['stored', 'not-sent', 'unknown', 'not-sent', 'stored']);
    expect(await statuses(write('bad'))).toEqual(['not-sent']);
  });

  test('are unknown for what was written when the channel closes, and nothing is sent after it', async () => {
    const { channel, write, confirms } = open();
    const first = write('a', 'b');
    channel.full = true;
    const second = write('c');
    const third = write('d');
    channel.emit('ack', { deliveryTag: 1, multiple: false });
    channel.emit('error', Object.assign(new Error('gone'), { code: 404 }));
    channel.emit('close');
    expect(await statuses(first)).toEqual(['stored', 'unknown']);
    expect(await statuses(second)).toEqual(['unknown']);
    expect(await statuses(third)).toEqual(['not-sent']);
    expect(await statuses(write('e'))).toEqual(['not-sent']);
    expect(channel.published).toEqual(['a', 'b', 'c']);
    expect(await confirms.over).toMatchObject({ code: 404 });
  });

  test('wait for a full buffer to drain, in order', async () => {
    const { channel, write } = open();
    channel.full = true;
    const writes = [write('a'), write('b'), write('c')];
    expect(channel.published).toEqual(['a']);
    channel.full = false;
    channel.emit('drain');
    expect(channel.published).toEqual(['a', 'b', 'c']);
    channel.emit('ack', { deliveryTag: 3, multiple: true });
    expect((await Promise.all(writes.map(statuses))).flat()).toEqual(['stored', 'stored', 'stored']);
  });

  test('that stay away end the channel', async () => {
    const { channel, write, confirms } = open(20);
    const first = write('a');
    expect(await statuses(first)).toEqual(['unknown']);
    expect(await confirms.over).toMatchObject({ code: 'TIMEOUT' });
    expect(channel.published).toEqual(['a']);
  });
});
