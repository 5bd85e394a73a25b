/** `host:port` of each, as the option gives them. */
export const addressesOf = (endpoints: string): readonly string[] => endpoints.split(';');

/** Which of several proxies that know the same is used. All clients of an adapter share it. */
export class Proxies {
  readonly #addresses: readonly string[];
  #current = 0;

  constructor(endpoints: string) {
    this.#addresses = addressesOf(endpoints);
  }

  get current(): string {
    return this.#addresses[this.#current] ?? '';
  }

  /** No connection could be made to `address`: if it is the current one, the next is. */
  failed(address: string): void {
    if (address === this.current) this.#current = (this.#current + 1) % this.#addresses.length;
  }
}
