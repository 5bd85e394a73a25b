/**
 * Which of the addresses to begin with. kafkajs tries one and then the next only through its retries, which are off here, and
 * begins at the first again with every client: a dead one would be all that is ever tried.
 */
export class Seeds {
  readonly #addresses: readonly string[];
  #current = 0;

  /** @param addresses at least one */
  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  get current(): string {
    return this.#addresses[this.#current] ?? '';
  }

  /** No connection could be made to `address`: if it is the current one, the next is. */
  failed(address: string): void {
    if (address === this.current) this.#current = (this.#current + 1) % this.#addresses.length;
  }
}
