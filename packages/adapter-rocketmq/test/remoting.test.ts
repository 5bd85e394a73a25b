import { createServer, type Socket } from 'node:net';
import { systemClock } from '@anymq/core/adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Remoting, RemotingError } from '../src/internal/remoting.js';
import { decodeAnswers, encodeRequest, parseLoose, parseObjectKeys } from '../src/internal/remoting-frames.js';

/** An answer as the broker frames it: the same as a request, with `opaque` and `code` in the header. */
function answer(header: object, body = ''): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(4 + head.length + body.length, 0);
  lengths.writeUInt32BE(head.length, 4);
  return Buffer.concat([lengths, head, Buffer.from(body)]);
}

describe('frames', () => {
  test('a request holds its lengths, its header and its body', () => {
    const frame = encodeRequest(105, 7, { topic: 't' }, Buffer.from('{}'));
    expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
    const header = JSON.parse(frame.subarray(8, 8 + frame.readUInt32BE(4)).toString());
    expect(header).toMatchObject({ code: 105, opaque: 7, extFields: { topic: 't' } });
    expect(frame.subarray(-2).toString()).toBe('{}');
  });

  test('answers are taken out whole, however they were cut', () => {
    const bytes = Buffer.concat([answer({ opaque: 1, code: 0 }, 'one'), answer({ opaque: 2, code: 17, remark: 'no' })]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = decodeAnswers(bytes.subarray(0, cut));
      const second = decodeAnswers(Buffer.concat([first.rest, bytes.subarray(cut)]));
      const all = [...first.answers, ...second.answers];
      expect(all.map(({ opaque, code, remark, body }) => [opaque, code, remark, body.toString()])).toEqual([
        [1, 0, '', 'one'],
        [2, 17, 'no', ''],
      ]);
    }
  });

  test('fastjson’s own ways are understood', () => {
    expect(parseLoose(Buffer.from('{"brokerAddrs":{0:"a:1",1:"b:2"}}'))).toEqual({
      brokerAddrs: { 0: 'a:1', 1: 'b:2' },
    });
    const table = parseObjectKeys(
      Buffer.from('{"offsetTable":{{"queueId":0}:{"brokerOffset":5},{"queueId":1}:{"brokerOffset":6}}}'),
    );
    expect(table).toEqual([
      [{ queueId: 0 }, { brokerOffset: 5 }],
      [{ queueId: 1 }, { brokerOffset: 6 }],
    ]);
  });
});

describe('remoting', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  /** A server that does `respond` with every socket, and a client of it. */
  async function pair(
    respond: (socket: Socket, request: Buffer) => void,
    credentials?: { accessKey: string; secretKey: string },
  ) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('data', (request) => respond(socket, request));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const client = new Remoting(`127.0.0.1:${port}`, { clock: systemClock(), credentials, timeoutMs: 300 });
    closers.push(
      () => client.close(),
      () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    );
    return client;
  }
  const headerOf = (request: Buffer) => JSON.parse(request.subarray(8, 8 + request.readUInt32BE(4)).toString());

  test('an answer that is no success rejects with its code, in call()', async () => {
    const client = await pair((socket, request) =>
      socket.write(answer({ opaque: headerOf(request).opaque, code: 17, remark: 'no topic\n at x' })),
    );
    await expect(client.call(351, { topic: 't' })).rejects.toMatchObject({
      name: 'RemotingError',
      remotingCode: 17,
      message: expect.stringContaining('no topic'),
    });
    expect(await client.ask(351)).toMatchObject({ code: 17 });
    expect(new RemotingError(1, { code: 2, remark: 'x' }).remotingCode).toBe(2);
  });

  test('a request without an answer ends at its time-out, and one on a lost connection at once; the next connects again', async () => {
    let mute = true;
    const client = await pair((socket, request) => {
      if (mute) return;
      if (headerOf(request).code === 9) socket.destroy();
      else socket.write(answer({ opaque: headerOf(request).opaque, code: 0 }));
    });
    await expect(client.call(1)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    mute = false;
    await expect(client.call(9)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await client.call(1)).toMatchObject({ code: 0 });
  });

  test('with credentials a request is signed, and the secret is not in it', async () => {
    let seen: Buffer = Buffer.alloc(0);
    const client = await pair(
      (socket, request) => {
        seen = request;
        socket.write(answer({ opaque: headerOf(request).opaque, code: 0 }));
      },
      { accessKey: 'alice', secretKey: 'alice-secret' },
    );
    await client.call(17, { topic: 't', perm: 6 }, { a: 1 });
    const { extFields } = headerOf(seen);
    // HMAC-SHA1 of 'alice' + '6' + 't' + '{"a":1}', as fields sort by name.
    expect(extFields).toEqual({ topic: 't', perm: '6', AccessKey: 'alice', Signature: '3MceM33HTfd/J/E8Zz1s6IRj/1Y=' });
    expect(seen.toString()).not.toContain('alice-secret');
  });
});
