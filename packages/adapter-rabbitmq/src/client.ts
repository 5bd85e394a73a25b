/** The only file that knows the client library. It is loaded when a connection is made, not with the package. */
import type { Duplex } from 'node:stream';
import type { Channel, ChannelModel } from 'amqplib';

export type { Channel, ChannelModel as Connection, ConfirmChannel, ConsumeMessage, Message, Options } from 'amqplib';

/** Who logs in. */
export interface Credentials {
  readonly mechanism: 'plain' | 'external';
  readonly username: string;
  readonly password: string;
}

/** One host to connect to. */
export interface DialTarget {
  readonly protocol: 'amqp' | 'amqps';
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly credentials: Credentials;
  readonly heartbeatSeconds: number;
  /** Shown by the broker's own tools. */
  readonly name: string;
  readonly tls: Readonly<Record<string, unknown>>;
}

/** How long the broker may be silent while a connection is made. The library has no bound of its own. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** One connection. `signal` ends the attempt, not a connection that stands; nothing is left open on failure. */
export async function dial(target: DialTarget, signal: AbortSignal): Promise<ChannelModel> {
  const { default: amqplib } = await import('amqplib');
  const { mechanism, username, password } = target.credentials;
  const { credentials } = amqplib;
  const attempt = new AbortController();
  const abort = (): void => attempt.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const url = {
      protocol: target.protocol,
      hostname: target.host,
      port: target.port,
      // The library undoes percent-encoding in it.
      vhost: encodeURIComponent(target.vhost),
      heartbeat: target.heartbeatSeconds,
    };
    const connection = await amqplib.connect(url, {
      ...target.tls,
      // 20 times the latency without: the library writes small frames.
      noDelay: true,
      timeout: HANDSHAKE_TIMEOUT_MS,
      credentials: mechanism === 'external' ? credentials.external() : credentials.plain(username, password),
      clientProperties: { connection_name: target.name },
      // Passed on to the socket, which it destroys.
      ...{ signal: attempt.signal },
    });
    gather(streamOf(connection));
    return connection;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The heartbeat that both sides agreed on: the lower of the broker's and ours. */
export function heartbeatMsOf(connection: ChannelModel): number {
  return 1_000 * (connection.connection as unknown as { heartbeat: number }).heartbeat;
}

/** Ends a connection that does not answer any more. */
export function sever(connection: ChannelModel, why: string): void {
  // Without an error the library says nothing to anybody.
  streamOf(connection).destroy(new Error(why));
}

const streamOf = ({ connection }: ChannelModel): Duplex => (connection as unknown as { stream: Duplex }).stream;

/**
 * What is written in one turn goes out at once. The library writes each frame to the socket by itself, and that is a system call each: a fifth
 * of the processor time of sending.
 */
export function gather(stream: Duplex): void {
  const write = stream.write.bind(stream) as (chunk: unknown) => boolean;
  let gathering = false;
  const sendOff = (): void => {
    gathering = false;
    stream.uncork();
  };
  stream.write = (chunk: unknown): boolean => {
    if (!gathering) {
      gathering = true;
      stream.cork();
      process.nextTick(sendOff);
    }
    return write(chunk);
  };
}

/**
 * Closes a channel or a connection. Resolves when it is gone, for whatever reason: the library's own `close` throws when it is
 * gone already, and never ends when the connection breaks before the broker has answered.
 */
export async function closeQuietly(what: Channel | ChannelModel): Promise<void> {
  const gone = new Promise<void>((resolve) => what.once('close', () => resolve()));
  try {
    await Promise.race([what.close(), gone]);
  } catch {
    // Gone already.
  }
}
