import type { Batch } from './batch.js';

const MAX_REMEMBERED = 10_000;

/**
 * A queue of a keyed topic goes on at its first unacknowledged message: what was acknowledged above it comes again. This
 * remembers such messages, so that the same member does not handle them twice.
 */
export class Settled {
  readonly #keyed: boolean;
  readonly #ids = new Set<string>();

  constructor(keyed: boolean) {
    this.#keyed = keyed;
  }

  has(messageId: string): boolean {
    return this.#ids.has(messageId);
  }

  /** Of a batch that is over, what was settled above something unsettled. */
  remember({ entries }: Batch): void {
    if (!this.#keyed) return;
    const first = entries.findIndex(({ settled }) => !settled);
    if (first < 0) return;
    for (const { settled, messageId } of entries.slice(first)) if (settled) this.#ids.add(messageId);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= MAX_REMEMBERED) return;
      this.#ids.delete(oldest);
    }
  }
}
