import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from './certificates.js';

const TLS_HANDSHAKE = 0x16;

/** Somebody who listens with a certificate that must not be believed, and notes what clients tell them all the same. */
export interface Impostor {
  /** `localhost:port` */
  readonly address: string;
  /** First bytes of connections that were no TLS: what a client said in the clear. */
  readonly plain: readonly Buffer[];
  /** Bytes that clients said to it behind TLS. */
  readonly believed: number;
  /** Connections. */
  readonly tried: number;
  close(): Promise<void>;
}

export async function startImpostor({ cert, key }: Certificate): Promise<Impostor> {
  const plain: Buffer[] = [];
  const open = new Set<Socket>();
  let [believed, tried] = [0, 0];
  const tls = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        believed += chunk.length;
      });
  });
  tls.on('tlsClientError', () => {});
  const server = createServer((socket) => {
    tried += 1;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.once('data', (chunk) => {
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === TLS_HANDSHAKE) tls.emit('connection', socket);
      else plain.push(chunk);
    });
  });
  const port = await listen(server);
  return {
    address: `localhost:${port}`,
    plain,
    get believed() {
      return believed;
    },
    get tried() {
      return tried;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, 'localhost', () => resolve((server.address() as { port: number }).port));
  });
