/** What one group has seen, judged by what the sender wrote: each message once, each session in order. */
export class Tally {
  handled = 0;
  duplicates = 0;
  /** A message that came after a later one of its session. */
  orderViolations = 0;
  readonly #ids = new Set<string>();
  readonly #last = new Map<string, number>();

  /** True the first time a message is seen. */
  see(id: string, session: string, sequence: number): boolean {
    if (this.#ids.has(id)) {
      this.duplicates += 1;
      return false;
    }
    this.#ids.add(id);
    this.handled += 1;
    if (sequence <= (this.#last.get(session) ?? -1)) this.orderViolations += 1;
    else this.#last.set(session, sequence);
    return true;
  }
}
