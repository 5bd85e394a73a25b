import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import type { Credentials } from './kind.js';

const TIMEOUT_MS = 3_000;
const PREFIX_BYTES = 8;

/**
 * Sends one request of RocketMQ's remoting protocol: length, header length, JSON header, body. Resolves with header and
 * body of the answer as text. Signed where there are credentials. Rejects when nothing answers within 3 s.
 */
export function remotingCall(port: number, code: number, body = '', credentials?: Credentials): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let answer = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('No answer')));
    socket.once('error', reject).once('close', () => reject(new Error('Connection closed')));
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return;
      resolve(answer.toString('utf8', PREFIX_BYTES));
      socket.destroy();
    });
    socket.write(request(code, body, credentials));
  });
}

function request(code: number, body: string, credentials: Credentials | undefined): Buffer {
  const fields = { code, language: 'OTHER', version: 475, opaque: 1, flag: 0, serializeTypeCurrentRPC: 'JSON' };
  const signed = credentials === undefined ? fields : { ...fields, extFields: signature(body, credentials) };
  const header = Buffer.from(JSON.stringify(signed));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(4 + header.length + Buffer.byteLength(body), 0);
  prefix.writeUInt32BE(header.length, 4);
  return Buffer.concat([prefix, header, Buffer.from(body)]);
}

/** HMAC over the values of all other fields, in the order of their names, and the body. There are no other fields. */
function signature(body: string, { username, password }: Credentials): Record<string, string> {
  const hmac = createHmac('sha1', password).update(username).update(body);
  return { AccessKey: username, Signature: hmac.digest('base64') };
}
