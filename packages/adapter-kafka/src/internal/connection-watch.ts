import { type AdapterRuntime, sleep } from '@anymq/core/adapter';

/**
 * Finds out, when a socket broke, whether the cluster can still be reached, and goes on asking until it can. A socket alone
 * says little: brokers end idle ones, and one broker of several may go.
 */
export class ConnectionWatch {
  readonly #runtime: AdapterRuntime;
  readonly #ask: () => Promise<void>;
  readonly #end = new AbortController();
  #looking = false;
  #down = false;

  /** @param ask one request to the cluster, without retry */
  constructor(runtime: AdapterRuntime, ask: () => Promise<void>) {
    this.#runtime = runtime;
    this.#ask = ask;
  }

  /** A socket broke. */
  look(error: unknown): void {
    if (this.#looking || this.#end.signal.aborted) return;
    this.#looking = true;
    void this.#look(error).finally(() => {
      this.#looking = false;
    });
  }

  close(): void {
    this.#end.abort();
  }

  async #look(cause: unknown): Promise<void> {
    const backoff = this.#runtime.backoff();
    while (!this.#end.signal.aborted) {
      const failure = await this.#ask().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (this.#end.signal.aborted) return;
      if (failure === undefined) return this.#up();
      this.#isDown(failure.error ?? cause);
      await sleep(this.#runtime.clock, backoff.next(), this.#end.signal).catch(() => {});
    }
  }

  #isDown(error: unknown): void {
    if (this.#down) return;
    this.#down = true;
    this.#runtime.connection('down', error);
  }

  #up(): void {
    if (!this.#down) return;
    this.#down = false;
    this.#runtime.connection('up');
  }
}
