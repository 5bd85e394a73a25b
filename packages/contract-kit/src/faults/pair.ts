import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Scanner, scannerOf } from './framing.js';
import type { Direction, ProxyOptions, Weather } from './proxy.js';
import { resetSocket } from './reset.js';

/** How long a client whose request was let through waits for a broker that does not answer. */
const GRACE_MS = 500;
const HALF_MS = 20;
/** Held back at most, in one direction: beyond it the sender has to wait. */
const MAX_HELD = 1024 * 1024;

/** A client's connection and the one to the broker that belongs to it. */
export class Pair {
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #weather: Weather;
  readonly #scanner: Scanner;
  readonly #gone: () => void;
  /** The trap has sprung: nothing passes any more. */
  #trapped = false;
  /** Bytes of it are gone: it cannot go on. */
  swallowed = false;

  constructor(client: Socket, { target, framing }: ProxyOptions, weather: Weather, gone: () => void) {
    this.#client = client;
    this.#broker = connect({ ...target(), noDelay: true, allowHalfOpen: true });
    this.#weather = weather;
    this.#scanner = scannerOf(framing ?? 'none');
    this.#gone = gone;
    for (const socket of [this.#client, this.#broker]) {
      // What went wrong shows in the close that follows.
      socket.on('error', () => {});
      socket.once('close', () => this.reset());
    }
    new Flow(this.#client, this.#broker, weather, (chunk) => this.#toBroker(chunk));
    new Flow(this.#broker, this.#client, weather, (chunk) => this.#toClient(chunk));
  }

  reset(): void {
    resetSocket(this.#client);
    resetSocket(this.#broker);
    this.#gone();
  }

  #toBroker(chunk: Buffer): Buffer | undefined {
    // Also while nothing is set: a trap may be, in the middle of a request.
    const ended = this.#scanner.push(chunk);
    if (this.#trapped || this.#swallow('to-broker')) return undefined;
    for (const { request, end } of ended) {
      const { trap } = this.#weather;
      if (trap?.matches(request) !== true || trap.left-- > 0) continue;
      this.#spring();
      return chunk.subarray(0, end);
    }
    return chunk;
  }

  #toClient(chunk: Buffer): Buffer | undefined {
    if (this.#trapped) this.reset();
    if (this.#trapped || this.#swallow('to-client')) return undefined;
    const { answers, answerBytes } = this.#weather;
    return answers > 0 && chunk.length >= answerBytes ? this.#halve(chunk) : chunk;
  }

  #halve(chunk: Buffer): Buffer {
    this.#weather.answers -= 1;
    this.#weather.hit('answer');
    this.#trapped = true;
    // Long enough for the half to be written, which happens before anything else.
    setTimeout(() => this.reset(), HALF_MS);
    return chunk.subarray(0, chunk.length >> 1);
  }

  #swallow(direction: Direction): boolean {
    if (!this.#weather.hole.has(direction)) return false;
    this.swallowed = true;
    this.#weather.hit('hole');
    return true;
  }

  #spring(): void {
    const { trap } = this.#weather;
    this.#trapped = true;
    this.#weather.trap = undefined;
    this.#weather.hit('trap');
    const timer = setTimeout(() => this.reset(), GRACE_MS);
    this.#client.once('close', () => {
      clearTimeout(timer);
      trap?.sprung();
    });
  }
}

/** One direction of a pair: in order, late or in pieces where that is wanted, and no faster than the receiver takes it. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #pass: (chunk: Buffer) => Buffer | undefined;
  #held: { readonly chunk: Buffer; readonly due: number }[] = [];
  #heldBytes = 0;
  #ended = false;
  #draining = false;

  /** @param pass what may go on of a chunk */
  constructor(from: Socket, to: Socket, weather: Weather, pass: (chunk: Buffer) => Buffer | undefined) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#pass = pass;
    from.on('data', (chunk) => this.#arrived(chunk as Buffer));
    from.once('end', () => {
      this.#ended = true;
      void this.#drain();
    });
  }

  #arrived(raw: Buffer): void {
    const chunk = this.#pass(raw);
    if (chunk === undefined) return;
    const { latencyMs } = this.#weather;
    if (latencyMs > 0) this.#weather.hit('latency');
    this.#held.push({ chunk, due: performance.now() + latencyMs });
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MAX_HELD) this.#from.pause();
    void this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      const early = next.due - performance.now();
      if (early > 0) await wait(early);
      await this.#write(next.chunk);
      this.#heldBytes -= next.chunk.length;
      if (this.#heldBytes <= MAX_HELD && this.#from.isPaused()) this.#from.resume();
    }
    this.#draining = false;
    if (this.#ended) this.#to.end();
  }

  async #write(chunk: Buffer): Promise<void> {
    const { sliceBytes } = this.#weather;
    if (sliceBytes > 0) this.#weather.hit('slice');
    const size = sliceBytes > 0 ? sliceBytes : chunk.length;
    for (let at = 0; at < chunk.length && !this.#to.destroyed; at += size) {
      if (!this.#to.write(chunk.subarray(at, at + size))) await drained(this.#to);
      // Else the system would put the pieces together again.
      else if (sliceBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
