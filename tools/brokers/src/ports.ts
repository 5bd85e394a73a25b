import { connect, createServer } from 'node:net';

/** Ports by use, e.g. `{ client: 9092, controller: 9093 }`. */
export type Ports = Readonly<Record<string, number>>;

const HOST = '127.0.0.1';

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

/** As many free ports as `uses` has keys, under the same keys. */
export async function freePorts(uses: Ports): Promise<Ports> {
  const entries = await Promise.all(Object.keys(uses).map(async (use) => [use, await freePort()] as const));
  return Object.fromEntries(entries);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
