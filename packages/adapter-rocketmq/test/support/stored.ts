import { deflateSync } from 'node:zlib';

/** What a broker stores, as far as tests need it. */
export interface Stored {
  readonly offset: number;
  readonly body: Buffer;
  readonly properties?: Readonly<Record<string, string>>;
  readonly bornAt?: number;
  /** Topics longer than 127 bytes have another form. */
  readonly longTopic?: boolean;
  readonly ipv6?: boolean;
  readonly compressed?: boolean;
}

const int = (value: number, bytes: 1 | 2 | 4): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const long = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer;
};

/** One message in the form of the commit log. */
export function encodeStored(message: Stored): Buffer {
  const { offset, properties = {}, bornAt = 5, longTopic = false, ipv6 = false, compressed = false } = message;
  const body = compressed ? deflateSync(message.body) : message.body;
  const host = Buffer.concat([ipv6 ? Buffer.alloc(15) : Buffer.from([127, 0, 0]), Buffer.from([1]), int(10_911, 4)]);
  const sysFlag = (compressed ? 1 : 0) | (ipv6 ? 16 | 32 : 0);
  const texts = Object.entries(properties).map(([name, value]) => `${name}\u0001${value}\u0002`);
  const table = Buffer.from(texts.join(''));
  const topic = Buffer.from('t');
  const rest = Buffer.concat([
    int(longTopic ? 0xdaa320ab : 0xdaa320a7, 4),
    ...[int(0, 4), int(3, 4), int(0, 4), long(offset), long(4_096 + offset), int(sysFlag, 4)],
    ...[long(bornAt), host, long(6), host, int(0, 4), long(0)],
    ...[int(body.length, 4), body, int(topic.length, longTopic ? 2 : 1), topic, int(table.length, 2), table],
  ]);
  return Buffer.concat([int(4 + rest.length, 4), rest]);
}
