import { createHmac } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '@anymq/core/adapter';
import type { TlsMaterial } from '../client.js';
import { fault } from '../errors.js';
import { decodeAnswers, encodeRequest, type RemotingAnswer } from './remoting-frames.js';

/** An answer that is no success. */
export class RemotingError extends Error {
  override readonly name = 'RemotingError';
  /** As the broker gave it: 17 no such topic, 16 no permission... */
  readonly remotingCode: number;

  constructor(request: number, answer: Pick<RemotingAnswer, 'code' | 'remark'>) {
    super(`RocketMQ answered request ${request} with code ${answer.code}: ${answer.remark.split('\n')[0]}`);
    this.remotingCode = answer.code;
  }
}

export interface RemotingSettings {
  readonly clock: Clock;
  readonly credentials?: { readonly accessKey: string; readonly secretKey: string } | undefined;
  /** Of a request that has none of its own, and of a connection. */
  readonly timeoutMs: number;
  /** @default false, in the clear */
  readonly tls?: false | TlsMaterial | undefined;
}

interface Waiting {
  resolve(answer: RemotingAnswer): void;
  reject(error: unknown): void;
}

/** One socket to a name server or broker, opened when it is needed. Requests are answered in any order. */
export class Remoting {
  readonly #address: string;
  readonly #settings: RemotingSettings;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Promise<Socket> | undefined;
  #received: Buffer = Buffer.alloc(0);
  #opaque = 0;
  #closed = false;

  constructor(address: string, settings: RemotingSettings) {
    this.#address = address;
    this.#settings = settings;
  }

  /** Resolves with any answer, whatever its code. Rejects when none came in time. */
  async ask(
    code: number,
    fields: Readonly<Record<string, string | number | boolean>> = {},
    body: unknown = undefined,
    timeoutMs = this.#settings.timeoutMs,
  ): Promise<RemotingAnswer> {
    this.#checkOpen();
    this.#socket ??= this.#open();
    const socket = await this.#socket;
    this.#checkOpen();
    this.#opaque += 1;
    const opaque = this.#opaque;
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    const answer = this.#await(opaque, code, timeoutMs);
    socket.write(encodeRequest(code, opaque, this.#signed(texts, bytes), bytes));
    return answer;
  }

  /** As {@link ask}; rejects with {@link RemotingError} for an answer that is no success. */
  async call(...request: Parameters<Remoting['ask']>): Promise<RemotingAnswer> {
    const answer = await this.ask(...request);
    if (answer.code !== 0) throw new RemotingError(request[0], answer);
    return answer;
  }

  /** For good: a request that comes later is refused, and opens nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    const socket = await this.#socket?.catch(() => undefined);
    socket?.destroy();
  }

  #checkOpen(): void {
    if (this.#closed) throw fault('CLOSED', `The connection to RocketMQ at ${this.#address} was closed.`);
  }

  #await(opaque: number, code: number, timeoutMs: number): Promise<RemotingAnswer> {
    const { clock } = this.#settings;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(opaque);
        reject(
          Object.assign(
            new Error(`RocketMQ at ${this.#address} did not answer request ${code} within ${timeoutMs} ms`),
            { code: 'ETIMEDOUT' },
          ),
        );
      });
      const end =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          timer.cancel();
          this.#waiting.delete(opaque);
          settle(value);
        };
      this.#waiting.set(opaque, { resolve: end(resolve), reject: end(reject) });
    });
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { socket, ready } = dial(this.#address, this.#settings.tls ?? false);
      const timer = this.#settings.clock.setTimer(this.#settings.timeoutMs, () => {
        socket.destroy(Object.assign(new Error(`connect ETIMEDOUT ${this.#address}`), { code: 'ETIMEDOUT' }));
      });
      socket.once(ready, () => {
        timer.cancel();
        resolve(socket);
      });
      socket.on('error', (error) => {
        timer.cancel();
        reject(error);
        this.#lost(error);
      });
      socket.on('close', () =>
        this.#lost(
          Object.assign(new Error(`RocketMQ at ${this.#address} closed the connection`), { code: 'ECONNRESET' }),
        ),
      );
      socket.on('data', (chunk) => this.#take(chunk));
    });
  }

  #take(chunk: Buffer): void {
    const { answers, rest } = decodeAnswers(
      this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]),
    );
    this.#received = rest;
    for (const answer of answers) this.#waiting.get(answer.opaque)?.resolve(answer);
  }

  #lost(error: unknown): void {
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
    for (const waiting of [...this.#waiting.values()]) waiting.reject(error);
  }

  /** The signature covers the values of all fields in the order of their names, then the body. */
  #signed(fields: Record<string, string>, body: Buffer): Record<string, string> {
    const { credentials } = this.#settings;
    if (credentials === undefined) return fields;
    const all: Record<string, string> = { ...fields, AccessKey: credentials.accessKey };
    const hmac = createHmac('sha1', credentials.secretKey);
    for (const name of Object.keys(all).sort()) hmac.update(all[name] ?? '');
    return { ...all, Signature: hmac.update(body).digest('base64') };
  }
}

function dial(address: string, tls: false | TlsMaterial): { readonly socket: Socket; readonly ready: string } {
  const [host = '', port] = address.split(':');
  const to = { host, port: Number(port), noDelay: true };
  if (tls === false) return { socket: connect(to), ready: 'connect' };
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
  return { socket: connectTls({ ...to, ...tls, servername }), ready: 'secureConnect' };
}
