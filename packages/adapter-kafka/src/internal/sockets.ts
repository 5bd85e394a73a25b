import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

const KEEP_ALIVE_MS = 60_000;

/** Where a socket goes and how, as kafkajs asks for it. */
export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | boolean | null | undefined;
  readonly onConnect: () => void;
}

/**
 * The sockets of one kafkajs client. kafkajs cannot give up a connection attempt or a request that hangs, and it would open
 * connections anew after its own `disconnect` when a request comes late: ending the sockets here ends it for good.
 */
export class Sockets {
  readonly #sockets = new Set<Socket>();
  readonly #failed: (error: unknown) => void;
  readonly #unreachable: (address: string) => void;
  readonly #opening: () => void;
  /** Ends are our own doing from now on. */
  #ending = false;
  #closed = false;

  /**
   * @param failed a socket broke, or could not connect
   * @param unreachable no connection could be made to this `host:port`
   * @param opening called before each socket is made
   */
  constructor(
    failed: (error: unknown) => void,
    unreachable: (address: string) => void = () => {},
    opening: () => void = () => {},
  ) {
    this.#failed = failed;
    this.#unreachable = unreachable;
    this.#opening = opening;
  }

  /** For `socketFactory` of kafkajs, whose own leaves Nagle's algorithm on: that costs small requests a third of their rate. */
  readonly factory = ({ host, port, ssl, onConnect }: SocketRequest): Socket => {
    if (this.#closed) throw new Error('this connection was closed');
    this.#opening();
    let connected = false;
    const ready = (): void => {
      connected = true;
      onConnect();
    };
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...optionsOf(ssl) }, ready)
      : connect({ host, port }, ready);
    socket.setNoDelay(true);
    // kafkajs lets go of a dead socket again and again, each time with a listener; Node would warn on the console.
    socket.setMaxListeners(0);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once('close', () => {
      if (!connected) this.#unreachable(`${host}:${port}`);
    });
    this.#watch(socket);
    return socket;
  };

  /** From now on an end of a socket is nothing to report. */
  retire(): void {
    this.#ending = true;
  }

  /** Ends what is open, refuses what comes. Requests under way reject with `reason`. */
  destroy(reason: Error): void {
    this.#ending = true;
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy(reason);
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    let told = false;
    const tell = (error: unknown): void => {
      if (told || this.#ending) return;
      told = true;
      this.#failed(error);
    };
    socket.on('error', tell);
    socket.on('end', () => tell(new Error('the broker closed the connection')));
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

const optionsOf = (ssl: ConnectionOptions | boolean): ConnectionOptions => (typeof ssl === 'boolean' ? {} : ssl);
