import { orAborted } from './abort.js';
import type { Adapter, AdapterRuntime, ConfiguredAdapter } from './adapter/spi.js';
import { sleep } from './clock.js';
import { MessagingError, messageOf } from './errors.js';

export interface BrokerSettings {
  readonly name: string;
  readonly configured: ConfiguredAdapter;
  readonly runtime: AdapterRuntime;
  readonly connectTimeoutMs: number;
  /** Where the broker is configured, for errors. */
  readonly origin: string;
}

/** One broker of a messaging: connects once for all who need it, and gives its errors their one form. */
export class Broker {
  readonly name: string;
  readonly configured: ConfiguredAdapter;
  readonly runtime: AdapterRuntime;
  readonly adapter: Adapter;
  readonly #settings: BrokerSettings;
  readonly #closing = new AbortController();
  #connecting: Promise<void> | undefined;
  #connected = false;

  constructor(settings: BrokerSettings) {
    this.name = settings.name;
    this.configured = settings.configured;
    this.runtime = settings.runtime;
    this.adapter = settings.configured.create(settings.runtime);
    this.#settings = settings;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Connected, or being connected. */
  get used(): boolean {
    return this.#connecting !== undefined;
  }

  /** Shared by all who need the broker; a failure is forgotten, so that the next who needs it tries again. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().then(
      () => {
        this.#connected = true;
      },
      (error) => {
        this.#connecting = undefined;
        throw error;
      },
    );
    return this.#connecting;
  }

  /**
   * Connects if needed, then does `operation`, again with back-off while its failure is retryable, up to `connectTimeoutMs`.
   * `signal` ends the waiting; an operation under way is not cut short, what it opens is the caller's.
   */
  async run<T>(operation: (adapter: Adapter) => Promise<T>, what: string, signal?: AbortSignal): Promise<T> {
    await orAborted(this.connect(), signal, `connecting to broker '${this.name}'`);
    // What no repetition mends was not repeated.
    const failure = (error: unknown, timeoutMs: number): MessagingError =>
      this.wrap(error, `Could not ${what}${this.#retryable(error) ? ` within ${timeoutMs} ms` : ''}`);
    return this.#repeat(() => operation(this.adapter), failure, signal);
  }

  /** The one form of every error: untouched if it has it, else with the adapter's code. */
  wrap(error: unknown, context: string): MessagingError {
    if (error instanceof MessagingError) return error;
    const { code, retryable } = this.adapter.classify(error);
    return new MessagingError(code, `${context}: ${messageOf(error)}`, {
      adapter: this.configured.name,
      cause: error,
      retryable,
    });
  }

  /** Core has closed every sender and receiver before. */
  async close(): Promise<void> {
    this.#closing.abort(new MessagingError('CLOSED', `The connection to broker '${this.name}' was closed.`));
    await this.#connecting?.catch(() => {});
    await this.adapter.close();
  }

  #connect(): Promise<void> {
    const attempt = (signal: AbortSignal): Promise<void> => this.adapter.connect(signal);
    return this.#repeat(attempt, (error, timeoutMs) => this.#connectError(error, timeoutMs));
  }

  async #repeat<T>(
    attempt: (signal: AbortSignal) => Promise<T>,
    failure: (error: unknown, timeoutMs: number) => MessagingError,
    signal?: AbortSignal,
  ): Promise<T> {
    const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const { connectTimeoutMs: timeoutMs, runtime } = this.#settings;
    const deadline = runtime.clock.monotonic() + timeoutMs;
    const backoff = runtime.backoff();
    for (;;) {
      try {
        return await this.#bounded(attempt, deadline - runtime.clock.monotonic());
      } catch (error) {
        if (stop.aborted) throw stop.reason;
        const wait = backoff.next();
        if (!this.#retryable(error) || runtime.clock.monotonic() + wait >= deadline) throw failure(error, timeoutMs);
        runtime.log.debug(`Broker '${this.name}' does not answer yet: ${messageOf(error)}`);
        await sleep(runtime.clock, wait, stop);
      }
    }
  }

  async #bounded<T>(attempt: (signal: AbortSignal) => Promise<T>, remainingMs: number): Promise<T> {
    const late = new AbortController();
    const timer = this.runtime.clock.setTimer(Math.max(1, remainingMs), () =>
      late.abort(new MessagingError('TIMEOUT', 'no answer in time')),
    );
    try {
      return await attempt(AbortSignal.any([late.signal, this.#closing.signal]));
    } finally {
      timer.cancel();
    }
  }

  #retryable(error: unknown): boolean {
    return error instanceof MessagingError ? error.retryable : this.adapter.classify(error).retryable;
  }

  #connectError(error: unknown, timeoutMs: number): MessagingError {
    const { name, origin } = this.#settings;
    const wrapped = this.wrap(error, '');
    const code = wrapped.code === 'TIMEOUT' ? 'UNAVAILABLE' : wrapped.code;
    const within = wrapped.retryable ? ` within ${timeoutMs} ms` : '';
    const fix = code === 'UNAUTHORISED' ? 'Check the credentials' : 'Check that it runs and that the address is right';
    const message = `Cannot connect to broker '${name}' (${this.configured.name}) at ${this.adapter.address}${within}: ${messageOf(error)}. ${fix}: ${origin}.`;
    return new MessagingError(code, message, {
      adapter: this.configured.name,
      cause: error,
      retryable: wrapped.retryable,
    });
  }
}
