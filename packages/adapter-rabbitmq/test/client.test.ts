import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { type Channel, closeQuietly } from '../src/client.js';

test('closing ends with the connection, although the library tells nobody who waits for the broker’s answer', async () => {
  const channel = Object.assign(new EventEmitter(), { close: () => new Promise<void>(() => {}) });
  let ended = false;
  const closing = closeQuietly(channel as unknown as Channel).then(() => {
    ended = true;
  });
  await Promise.resolve();
  expect(ended).toBe(false);
  channel.emit('close');
  await closing;
});

test('closing what is gone already is no error', async () => {
  const close = (): never => {
    throw new Error('Channel closed');
  };
  await closeQuietly(Object.assign(new EventEmitter(), { close }) as unknown as Channel);
});
