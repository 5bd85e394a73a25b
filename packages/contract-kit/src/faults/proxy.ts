import { createServer, type Server, type Socket } from 'node:net';
import type { Framing, WireRequest } from './framing.js';
import { Pair } from './pair.js';
import { resetSocket } from './reset.js';

/** Which bytes a fault concerns. */
export type Direction = 'to-broker' | 'to-client';

/** A fault that was set. */
export interface Fault {
  /** How often it has acted: connections cut or refused, chunks held, swallowed or sliced. 0: nothing has noticed it. */
  readonly hits: number;
  /** Ends it. What a black hole has swallowed stays gone: its connections are cut. */
  heal(): void;
}

/** Kinds of faults that are counted. */
type Kind = 'latency' | 'slice' | 'hole' | 'trap' | 'answer' | 'refuse';

/** What is done to every connection, new ones included. */
export interface Weather {
  latencyMs: number;
  /** Pieces of at most this many bytes, each written by itself; 0: as they come. */
  sliceBytes: number;
  readonly hole: Set<Direction>;
  /** Cuts a connection when the broker has a whole request and the client nothing of its answer. */
  trap: Trap | undefined;
  /** Pieces of answers that are still to be cut in two, and how large they must be at least. */
  answers: number;
  answerBytes: number;
  /** Counts for the fault that it belongs to. */
  hit(fault: Kind): void;
}

/** See {@link FaultProxy.cutAfterRequest}. */
export interface Trap {
  readonly matches: (request: WireRequest) => boolean;
  /** Matching requests to let through before. */
  left: number;
  sprung: () => void;
}

/** Where a broker listens. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** Where a proxy listens, and for whom. */
export interface ProxyOptions {
  /** Asked for every connection: a broker that advertises its proxy's address can only be started after it. */
  readonly target: () => ProxyTarget;
  /** @default any free one */
  readonly port?: number;
  /** @default 'none' */
  readonly framing?: Framing;
}

/** A TCP proxy on 127.0.0.1 that makes faults on the way to one broker. */
export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Connections that were ever accepted. */
  readonly accepted: number;
  /** Resets every open connection. Returns how many. */
  cut(): number;
  /** New connections are reset at once. */
  refuse(): Fault;
  /** Bytes are swallowed; connections stay open. One direction alone is a half-open connection. */
  blackHole(direction?: Direction | 'both'): Fault;
  /** Every chunk comes `ms` later, in order. */
  latency(ms: number): Fault;
  /** Bytes go in pieces of at most `bytes`. */
  slice(bytes: number): Fault;
  /**
   * When the `nth` matching request from now on (default: the first) has gone to the broker completely, nothing more of that
   * connection comes back, and it is reset as soon as the broker answers, or after half a second: what was asked is done, or
   * not, and the client cannot know. Happens once.
   */
  cutAfterRequest(matches: (request: WireRequest) => boolean, nth?: number): Fault & { readonly done: Promise<void> };
  /**
   * The next `times` pieces of answers (default: one) of at least `minBytes` (default: 2) reach their clients by half, then the
   * connection is reset. Heartbeats are smaller than whatever says something.
   */
  cutInAnswer(times?: number, minBytes?: number): Fault;
  /** Ends every fault that is set. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts a proxy. Rejects when its port is taken. */
export async function createFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpProxy(options);
  await proxy.listen(options.port ?? 0);
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #faults = new Set<Fault>();
  readonly #counts = { latency: 0, slice: 0, hole: 0, trap: 0, answer: 0, refuse: 0 };
  readonly #weather: Weather = {
    latencyMs: 0,
    sliceBytes: 0,
    hole: new Set(),
    trap: undefined,
    answers: 0,
    answerBytes: 0,
    hit: (fault) => {
      this.#counts[fault] += 1;
    },
  };
  #refusing = false;
  accepted = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    // Half-open connections are passed on as they are.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  cut(): number {
    const pairs = [...this.#pairs];
    for (const pair of pairs) pair.reset();
    return pairs.length;
  }

  refuse(): Fault {
    this.#refusing = true;
    return this.#fault('refuse', () => {
      this.#refusing = false;
    });
  }

  blackHole(direction: Direction | 'both' = 'both'): Fault {
    const { hole } = this.#weather;
    const directions: readonly Direction[] = direction === 'both' ? ['to-broker', 'to-client'] : [direction];
    for (const each of directions) hole.add(each);
    return this.#fault('hole', () => {
      for (const each of directions) hole.delete(each);
      for (const pair of this.#pairs) if (pair.swallowed) pair.reset();
    });
  }

  latency(ms: number): Fault {
    this.#weather.latencyMs = ms;
    return this.#fault('latency', () => {
      this.#weather.latencyMs = 0;
    });
  }

  slice(bytes: number): Fault {
    this.#weather.sliceBytes = bytes;
    return this.#fault('slice', () => {
      this.#weather.sliceBytes = 0;
    });
  }

  cutAfterRequest(matches: (request: WireRequest) => boolean, nth = 1): Fault & { readonly done: Promise<void> } {
    let sprung = (): void => {};
    const done = new Promise<void>((resolve) => {
      sprung = resolve;
    });
    const trap: Trap = { matches, left: nth - 1, sprung };
    this.#weather.trap = trap;
    const fault = this.#fault('trap', () => {
      if (this.#weather.trap === trap) this.#weather.trap = undefined;
    });
    return Object.assign(fault, { done });
  }

  cutInAnswer(times = 1, minBytes = 2): Fault {
    this.#weather.answers = times;
    this.#weather.answerBytes = minBytes;
    return this.#fault('answer', () => {
      this.#weather.answers = 0;
    });
  }

  heal(): void {
    for (const fault of [...this.#faults]) fault.heal();
  }

  async close(): Promise<void> {
    this.heal();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    if (this.#refusing) {
      this.#counts.refuse += 1;
      client.on('error', () => {});
      resetSocket(client);
      return;
    }
    const pair = new Pair(client, this.#options, this.#weather, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }

  #fault(kind: Kind, end: () => void): Fault {
    const counts = this.#counts;
    const before = counts[kind];
    const fault = {
      get hits() {
        return counts[kind] - before;
      },
      heal: () => {
        if (this.#faults.delete(fault)) end();
      },
    };
    this.#faults.add(fault);
    return fault;
  }
}
