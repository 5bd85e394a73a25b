import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFaultProxy, type FaultProxy, type ProxyOptions, type WireRequest } from '../src/index.js';

let echo: Server;
let proxy: FaultProxy;
let client: Socket;
let received: Buffer[];
let port: number;

beforeEach(async () => {
  received = [];
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received.push(chunk);
      socket.write(chunk);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  ({ port } = echo.address() as { port: number });
  proxy = await createFaultProxy({ target: () => ({ host: '127.0.0.1', port }), framing: 'kafka' });
  client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
});

afterEach(async () => {
  client.destroy();
  await proxy.close();
  echo.close();
});

/** A Kafka request: length, API key, and padding. */
function request(api: number, bytes = 12): Buffer {
  const frame = Buffer.alloc(4 + bytes);
  frame.writeInt32BE(bytes);
  frame.writeInt16BE(api, 4);
  return frame;
}

test('passes bytes on as they are', async () => {
  client.write('hello');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
});

test('cut resets what is open, refuse what is new', async () => {
  client.write('x');
  await once(client, 'data');
  expect(proxy.cut()).toBe(1);
  await closed(client);
  const refused = proxy.refuse();
  const second = connect(proxy.port, '127.0.0.1').on('error', () => {});
  await closed(second);
  expect(refused.hits).toBe(1);
});

test('latency holds back, slicing cuts into pieces', async () => {
  const late = proxy.latency(50);
  const since = performance.now();
  client.write('x');
  await once(client, 'data');
  expect(performance.now() - since).toBeGreaterThan(90);
  expect(late.hits).toBe(2);
  late.heal();
  const slices = proxy.slice(1);
  client.write('abc');
  for (let got = ''; got !== 'abc'; ) got += String((await once(client, 'data'))[0]);
  expect(slices.hits).toBeGreaterThan(0);
});

test('a black hole swallows, and its connections are cut when it heals', async () => {
  const hole = proxy.blackHole();
  client.write('x');
  await expect(Promise.race([once(client, 'data'), untilHit(hole)])).resolves.toBe('hit');
  expect(received).toEqual([]);
  hole.heal();
  await closed(client);
});

test('an answer is cut in the middle', async () => {
  const cut = proxy.cutInAnswer();
  client.write('abcd');
  expect(String((await once(client, 'data'))[0])).toBe('ab');
  await closed(client);
  expect(cut.hits).toBe(1);
});

test('the nth matching request reaches the broker whole, and its client hears nothing', async () => {
  const trap = proxy.cutAfterRequest(({ api }) => api === 0, 2);
  const answers: Buffer[] = [];
  client.on('data', (chunk) => answers.push(chunk));
  client.write(Buffer.concat([request(0), request(3)]));
  await once(client, 'data');
  client.write(request(0));
  await trap.done;
  expect(trap.hits).toBe(1);
  expect(Buffer.concat(received)).toHaveLength(48);
  expect(Buffer.concat(answers)).toHaveLength(32);
});

test('a cut in an answer waits for one that is large enough', async () => {
  const cut = proxy.cutInAnswer(1, 8);
  client.write('beat');
  expect(String((await once(client, 'data'))[0])).toBe('beat');
  expect(cut.hits).toBe(0);
  client.write('an answer');
  expect(String((await once(client, 'data'))[0])).toBe('an a');
  await closed(client);
  expect(cut.hits).toBe(1);
});

/** An AMQP frame: type, channel, length, payload, end. */
function amqp(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

const method = (channel: number, classId: number, methodId: number): Buffer =>
  amqp(1, channel, Buffer.from([0, classId, 0, methodId, 1, 2, 3]));

function contentHeader(channel: number, bytes: number): Buffer {
  const payload = Buffer.alloc(14);
  payload.writeUInt16BE(60);
  payload.writeBigUInt64BE(BigInt(bytes), 4);
  return amqp(2, channel, payload);
}

/** An HTTP/2 frame: length, type, flags, stream, payload. */
function http2(type: number, flags: number, stream: number, bytes = 5): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.alloc(bytes, 7)]);
}

interface Trapped {
  readonly framing: NonNullable<ProxyOptions['framing']>;
  readonly matches: (request: WireRequest) => boolean;
  /** Passes whole, and is answered. */
  readonly before: readonly Buffer[];
  /** The last of the request that springs the trap. */
  readonly last: Buffer;
  /** Follows in the same bytes, and never arrives. */
  readonly behind: Buffer;
}

/** The publish on channel 1 ends with its second body, which one on channel 2 and a heartbeat come between. */
const PUBLISH: Trapped = {
  framing: 'amqp',
  matches: ({ method: name }) => name === '60.40',
  before: [
    ...[Buffer.from('AMQP0091'), method(1, 20, 10), method(1, 60, 40), contentHeader(1, 6)],
    ...[amqp(3, 1, Buffer.from('abc')), method(2, 60, 40), contentHeader(2, 3), amqp(8, 0, Buffer.alloc(0))],
  ],
  last: amqp(3, 1, Buffer.from('def')),
  behind: amqp(3, 2, Buffer.from('xyz')),
};

const EMPTY_PUBLISH: Trapped = { ...PUBLISH, last: contentHeader(2, 0), before: PUBLISH.before.slice(0, 6) };

/** Stream 3 ends within its data, while stream 1 and the connection itself go on; a larger request than the first one's. */
const CALL: Trapped = {
  framing: 'http2',
  matches: ({ bytes }) => bytes > 100,
  before: [
    ...[Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), http2(4, 0, 0), http2(1, 4, 1), http2(0, 1, 1)],
    ...[http2(1, 4, 3), http2(0, 0, 3, 80), http2(6, 1, 0, 8), http2(1, 4, 5)],
  ],
  last: http2(0, 1, 3, 20),
  behind: http2(0, 1, 5, 200),
};

test.each([
  ['an AMQP publish in several frames', PUBLISH],
  ['an AMQP publish without a body', EMPTY_PUBLISH],
  ['an HTTP/2 call in several frames', CALL],
])('%s reaches the broker whole, and nothing behind it', async (_, { framing, matches, before, last, behind }) => {
  await using framed = await createFaultProxy({ target: () => ({ host: '127.0.0.1', port }), framing });
  const socket = connect(framed.port, '127.0.0.1').on('error', () => {});
  const answered: Buffer[] = [];
  socket.on('data', (chunk) => answered.push(chunk));
  const trap = framed.cutAfterRequest(matches);
  const passing = Buffer.concat(before);
  // Chunks that end anywhere.
  for (let from = 0; from < passing.length; from += 7) {
    const part = passing.subarray(from, from + 7);
    socket.write(part);
    while (Buffer.concat(answered).length < from + part.length) await once(socket, 'data');
  }
  expect(trap.hits).toBe(0);
  socket.write(Buffer.concat([last, behind]));
  await trap.done;
  expect(trap.hits).toBe(1);
  expect(Buffer.concat(received)).toEqual(Buffer.concat([passing, last]));
  expect(Buffer.concat(answered)).toEqual(passing);
});

/** Trap: `once` of node:events rejects at the reset's error, which comes first. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

async function untilHit(fault: { readonly hits: number }): Promise<string> {
  while (fault.hits === 0) await new Promise((resolve) => setImmediate(resolve));
  return 'hit';
}
