import { type AdapterRuntime, type Backoff, type Clock, messageOf, sleep } from '@anymq/core/adapter';
import { type Channel, type ConfirmChannel, type Connection, closeQuietly, heartbeatMsOf, sever } from '../client.js';
import { fault } from '../errors.js';
import { Pulse } from './pulse.js';

/** A connection that lived shorter goes on with the back-off that led to it: a broker that starts may drop it at once. */
const STABLE_MS = 5_000;
/** How long the broker may take to open a channel. */
const OPEN_TIMEOUT_MS = 10_000;
/** How long the broker may take to say good-bye. */
const CLOSE_TIMEOUT_MS = 3_000;

/** One connection to the broker, made again whenever it breaks, until {@link Link.close}. */
export class Link {
  readonly #name: string;
  readonly #dial: (signal: AbortSignal) => Promise<Connection>;
  readonly #runtime: AdapterRuntime;
  readonly #changed: (error?: unknown) => void;
  readonly #owning: boolean;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();
  #connection: Connection | undefined;
  #pulse: Pulse | undefined;
  #reconnecting: AbortController | undefined;
  #since = 0;
  #backoff: Backoff | undefined;
  #blocked: string | undefined;
  #lastError: unknown;

  /**
   * @param changed the connection came up or went down
   * @param owning it owns what it consumes: whether it still does is watched by questions, which the broker does not answer on
   * a connection that publishes while it is short of memory or disk
   */
  constructor(
    name: string,
    dial: (signal: AbortSignal) => Promise<Connection>,
    runtime: AdapterRuntime,
    changed: (error?: unknown) => void,
    owning = false,
  ) {
    this.#name = name;
    this.#dial = dial;
    this.#runtime = runtime;
    this.#changed = changed;
    this.#owning = owning;
  }

  get clock(): Clock {
    return this.#runtime.clock;
  }

  get isUp(): boolean {
    return this.#connection !== undefined;
  }

  /** Why the broker takes no publishes on this connection; undefined while it does. Then every request on it hangs as well. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** The broker cannot have given what is consumed here to somebody else. Only of a link that is owning. */
  get alive(): boolean {
    return this.#pulse?.alive === true;
  }

  /** Throws `UNAVAILABLE` while there is none. */
  get connection(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    throw fault('UNAVAILABLE', `The ${this.#name} connection to RabbitMQ is down.`, this.#lastError);
  }

  /** One attempt. */
  async connect(signal: AbortSignal): Promise<void> {
    this.#adopt(await this.#dial(signal));
  }

  /** Resolves at once or when the connection is there again; rejects when `signal` is aborted or the link is closed. */
  async up(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    while (!this.isUp) {
      either.throwIfAborted();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          either.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.add(done);
        either.addEventListener('abort', done, { once: true });
      });
    }
  }

  async channel(): Promise<Channel> {
    return this.#open(this.connection.createChannel());
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    return this.#open(this.connection.createConfirmChannel());
  }

  close(): Promise<void> {
    this.#closing.abort(fault('CLOSED', `The ${this.#name} connection to RabbitMQ was closed.`));
    return this.disconnect();
  }

  /** Ends the connection for now; {@link connect} makes another. */
  async disconnect(): Promise<void> {
    this.#reconnecting?.abort();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#pulse?.stop();
    if (connection === undefined) return;
    const late = this.#runtime.clock.setTimer(CLOSE_TIMEOUT_MS, () => sever(connection, 'no answer to close'));
    await closeQuietly(connection);
    late.cancel();
  }

  #adopt(connection: Connection): void {
    connection.on('error', (error) => {
      this.#lastError = error;
    });
    connection.on('close', (error) => this.#lost(connection, error ?? this.#lastError));
    connection.on('blocked', (reason) => this.#setBlocked(String(reason)));
    connection.on('unblocked', () => this.#setBlocked(undefined));
    this.#connection = connection;
    this.#blocked = undefined;
    if (this.#owning) this.#pulse = new Pulse(connection, this.#runtime.clock, heartbeatMsOf(connection));
    this.#since = this.#runtime.clock.monotonic();
    for (const wake of [...this.#waiting]) wake();
    this.#changed();
  }

  /** A blocked broker answers when it is no longer blocked: nobody should wait for that without end. */
  #open<C extends Channel>(opening: Promise<C>): Promise<C> {
    const timeout = new Promise<never>((_, reject) => {
      const timer = this.#runtime.clock.setTimer(OPEN_TIMEOUT_MS, () => {
        // What comes yet is not wanted any more.
        opening.then(closeQuietly).catch(() => {});
        reject(fault('UNAVAILABLE', this.#noChannel()));
      });
      const settled = (): void => timer.cancel();
      opening.then(settled, settled);
    });
    return Promise.race([opening.then(listened), timeout]);
  }

  #noChannel(): string {
    const why = this.#blocked === undefined ? '' : `: it takes no messages, ${this.#blocked}`;
    return `RabbitMQ has not opened a channel on the ${this.#name} connection within ${OPEN_TIMEOUT_MS} ms${why}.`;
  }

  #setBlocked(reason: string | undefined): void {
    this.#blocked = reason;
    const { log } = this.#runtime;
    if (reason === undefined) log.info(`RabbitMQ takes messages on the ${this.#name} connection again.`);
    else log.warn(`RabbitMQ takes no messages on the ${this.#name} connection: ${reason}.`);
  }

  #lost(connection: Connection, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#pulse?.stop();
    this.#blocked = undefined;
    this.#lastError = error;
    this.#runtime.log.warn(`The ${this.#name} connection to RabbitMQ broke: ${messageOf(error)}`);
    if (this.#runtime.clock.monotonic() - this.#since > STABLE_MS) this.#backoff = undefined;
    this.#changed(error);
    this.#reconnect().catch((failure) => {
      this.#runtime.log.error(`Reconnecting to RabbitMQ has failed: ${messageOf(failure)}`);
    });
  }

  async #reconnect(): Promise<void> {
    this.#reconnecting = new AbortController();
    const { signal } = this.#reconnecting;
    this.#backoff ??= this.#runtime.backoff();
    while (!signal.aborted) {
      try {
        await sleep(this.#runtime.clock, this.#backoff.next(), signal);
        const connection = await this.#dial(signal);
        if (signal.aborted) await closeQuietly(connection);
        else this.#adopt(connection);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        this.#runtime.log.debug(`RabbitMQ does not answer yet: ${messageOf(error)}`);
      }
    }
  }
}

/** A channel whose errors are heard by somebody: without a listener they would end the process. */
function listened<C extends Channel>(channel: C): C {
  channel.on('error', () => {});
  return channel;
}
