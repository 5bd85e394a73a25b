import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { type Channel, closeQuietly, gather } from '../src/client.js';

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

test('what is written in one turn reaches the socket at once, in order, also when the stream is ended in that turn', async () => {
  const calls: string[][] = [];
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      calls.push([String(chunk)]);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  gather(socket);
  for (const text of ['a', 'b', 'c']) socket.write(Buffer.from(text));
  expect(calls).toEqual([]);
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(calls).toEqual([['a', 'b', 'c']]);
  socket.write(Buffer.from('d'));
  await new Promise<void>((resolve) => socket.end(resolve));
  expect(calls).toEqual([['a', 'b', 'c'], ['d']]);
});
