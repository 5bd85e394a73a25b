import type { Duplex } from 'node:stream';
import type { Clock } from '@anymq/core/adapter';
import type { Proxies } from './proxies.js';

/** A call without a channel to the proxy: certainly not sent. */
const NO_CONNECTION = /No connection established/;
const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;
/** The gRPC back-off grows with the outage; a new channel dials at once. Not more often than this. */
const REDIAL_MS = 1_000;

/** Every unary call of the proxy, under the names that the client library uses. */
const UNARY = [
  'queryRoute',
  'heartbeat',
  'sendMessage',
  'queryAssignment',
  'ackMessage',
  'forwardMessageToDeadLetterQueue',
  'updateOffset',
  'getOffset',
  'queryOffset',
  'endTransaction',
  'notifyClientTermination',
  'changeInvisibleDuration',
  'recallMessage',
  'syncLiteSubscription',
] as const;

export type UnaryMethod = (typeof UNARY)[number];
/** Where a call goes. The library makes a new object for the same place now and then. */
export interface Endpoints {
  readonly facade: string;
  getGrpcTarget(): string;
}

type Unary = (
  request: unknown,
  metadata: unknown,
  options: { readonly deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => void;

interface ReplyStream {
  on(event: 'data', listener: (reply: unknown) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** A generated gRPC client. */
export type Stub = Record<UnaryMethod, Unary> & {
  close(): void;
  telemetry(metadata: unknown): Duplex;
  receiveMessage(request: unknown, metadata: unknown, options: { readonly deadline: number }): ReplyStream;
};

export interface RpcSettings {
  readonly clock: Clock;
  /** A channel of its own; dials when first used. */
  open(target: string): Stub;
  metadata(): unknown;
  /** `facade` of the endpoints that `proxies` stand for. */
  readonly home: string;
  readonly proxies: Proxies;
  /** How each call ended: undefined for an answer, whatever it says. */
  outcome(error: Error | undefined): void;
}

/**
 * Takes the place of the library's own manager: channels by address instead of by object (which leaks one every 30 s), TLS
 * credentials of this client alone, and channels dropped while they cannot connect.
 */
export class Rpc {
  readonly #settings: RpcSettings;
  readonly #stubs = new Map<string, Stub>();
  #underWay = 0;
  /** The proxy that the channels go to. */
  #proxy = '';
  #redialled = Number.NEGATIVE_INFINITY;

  constructor(settings: RpcSettings) {
    this.#settings = settings;
  }

  call<T>(method: UnaryMethod, endpoints: Endpoints, request: unknown, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#underWay++;
      this.#stub(endpoints)[method](request, this.#settings.metadata(), this.#within(timeoutMs), (error, reply) => {
        this.#ended(error ?? undefined);
        if (error) reject(error);
        else resolve(reply as T);
      });
    });
  }

  /** All replies of one poll. What came before a break is not thrown away: it is leased to us. */
  receive<T>(endpoints: Endpoints, request: unknown, timeoutMs: number): Promise<T[]> {
    return new Promise((resolve, reject) => {
      this.#underWay++;
      const replies: T[] = [];
      let open = true;
      const end = (error?: Error): void => {
        if (!open) return;
        open = false;
        this.#ended(error);
        if (error !== undefined && replies.length === 0) reject(error);
        else resolve(replies);
      };
      const stream = this.#stub(endpoints).receiveMessage(request, this.#settings.metadata(), this.#within(timeoutMs));
      stream.on('data', (reply) => replies.push(reply as T));
      stream.on('error', end);
      stream.on('end', () => end());
    });
  }

  /** What the library expects to find in its field `rpcClientManager`. */
  manager(): Record<string, unknown> {
    const manager: Record<string, unknown> = {
      telemetry: (endpoints: Endpoints, metadata: unknown) => this.#stub(endpoints).telemetry(metadata),
      receiveMessage: (endpoints: Endpoints, request: unknown, ms: number) => this.receive(endpoints, request, ms),
      close: () => this.close(),
    };
    for (const method of UNARY) {
      manager[method] = (endpoints: Endpoints, request: unknown, ms: number) =>
        this.call(method, endpoints, request, ms);
    }
    return manager;
  }

  /** Drops all channels; the next call makes new ones. */
  close(): void {
    const stubs = [...this.#stubs.values()];
    this.#stubs.clear();
    for (const stub of stubs) stub.close();
  }

  #stub(endpoints: Endpoints): Stub {
    let stub = this.#stubs.get(endpoints.facade);
    if (stub === undefined) {
      stub = this.#settings.open(this.#target(endpoints));
      this.#stubs.set(endpoints.facade, stub);
    }
    return stub;
  }

  #target(endpoints: Endpoints): string {
    const { home, proxies } = this.#settings;
    if (endpoints.facade !== home) return endpoints.getGrpcTarget();
    this.#proxy = proxies.current;
    return this.#proxy;
  }

  #within(timeoutMs: number): { readonly deadline: number } {
    return { deadline: this.#settings.clock.now() + timeoutMs };
  }

  #ended(error: Error | undefined): void {
    this.#underWay--;
    const code = error === undefined ? undefined : (error as { code?: unknown }).code;
    const broken = code === UNAVAILABLE || code === DEADLINE_EXCEEDED;
    this.#settings.outcome(broken ? error : undefined);
    if (broken && this.#underWay === 0) this.#redial(code === DEADLINE_EXCEEDED || NO_CONNECTION.test(`${error}`));
  }

  #redial(useless: boolean): void {
    const now = this.#settings.clock.monotonic();
    if (!useless || now - this.#redialled < REDIAL_MS) return;
    this.#redialled = now;
    this.#settings.proxies.failed(this.#proxy);
    this.close();
  }
}
