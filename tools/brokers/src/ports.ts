import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** Ports by use, e.g. `{ client: 9092, controller: 9093 }`. */
export type Ports = Readonly<Record<string, number>>;

const HOST = '127.0.0.1';
/** Below what systems give to outgoing connections: a broker gets its ports back when it is restarted. */
const RANGE = { min: 20_000, max: 32_000 };
/** RocketMQ's broker also listens on its port minus 2. */
const STRIDE = 3;
const TRIES = 100;

/** Something listens on the port. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .setTimeout(1_000, () => end(false));
  });
}

/** As many free ports as `uses` has keys, under the same keys. Rejects when there are none. */
export async function freePorts(uses: Ports): Promise<Ports> {
  const keys = Object.keys(uses);
  for (let i = 0; i < TRIES; i++) {
    const first = randomInt(RANGE.min + STRIDE, RANGE.max - keys.length * STRIDE);
    const block = Array.from({ length: keys.length * STRIDE }, (_, offset) => first - STRIDE + 1 + offset);
    const free = await Promise.all(block.map(isFree));
    if (free.every(Boolean)) return Object.fromEntries(keys.map((use, at) => [use, first + at * STRIDE]));
  }
  throw new Error(`There are no ${keys.length} free ports between ${RANGE.min} and ${RANGE.max}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
