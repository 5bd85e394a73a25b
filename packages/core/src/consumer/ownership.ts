import type { Source } from '../adapter/spi.js';
import { MessagingError } from '../errors.js';

/**
 * `owned`: handlers start and settle. `draining`: none starts, those that run settle. `over`: nothing is settled any more.
 */
type Stage = 'owned' | 'draining' | 'over';

/** One period of ownership, as core sees it. */
export class Ownership implements Source {
  readonly name: string;
  readonly #discard: (source: Ownership) => void;
  readonly #stillOwned: () => boolean;
  /** Records of it that are neither settled nor dropped. */
  inHand = 0;
  /** Handler calls under way. */
  #running = 0;
  #stage: Stage = 'owned';
  #drained: (() => void)[] = [];
  /** Of running handlers that looked at their signal; the others need no abort. */
  readonly #aborts = new Set<AbortController>();

  /**
   * @param discard drops everything of this source that no handler has, and hands over what is settled
   * @param stillOwned see {@link ReceiverSink.own}
   */
  constructor(name: string, discard: (source: Ownership) => void, stillOwned: () => boolean) {
    this.name = name;
    this.#discard = discard;
    this.#stillOwned = stillOwned;
  }

  /** A handler may start. */
  get owned(): boolean {
    return this.#stage === 'owned' && this.#stillOwned();
  }

  /** A handler's outcome still counts. */
  get settles(): boolean {
    return this.#stage !== 'over';
  }

  begin(): void {
    this.#running += 1;
  }

  end(): void {
    this.#running -= 1;
    if (this.#running === 0 && this.#drained.length > 0) this.#endDrain();
  }

  async drain(): Promise<void> {
    if (this.#stage === 'over') return;
    this.#stage = 'draining';
    this.#discard(this);
    if (this.#running > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
    this.#stage = 'over';
  }

  lost(error?: unknown): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#discard(this);
    this.abort(
      new MessagingError('STALE_DELIVERY', `The messages of ${this.name} belong to another consumer now.`, {
        cause: error,
      }),
    );
    this.#endDrain();
  }

  /** Tells running handlers to stop. */
  abort(reason: MessagingError): void {
    for (const controller of this.#aborts) controller.abort(reason);
    this.#aborts.clear();
  }

  /** A signal for one handler call; give its controller to {@link forget} when the call ends. */
  watch(): AbortController {
    const controller = new AbortController();
    if (this.#stage === 'over')
      controller.abort(
        new MessagingError('STALE_DELIVERY', `The messages of ${this.name} belong to another consumer now.`),
      );
    else this.#aborts.add(controller);
    return controller;
  }

  forget(controller: AbortController): void {
    this.#aborts.delete(controller);
  }

  #endDrain(): void {
    const drained = this.#drained;
    this.#drained = [];
    // Settlements of the last handlers are handed over before anybody hears that the drain is done.
    this.#discard(this);
    for (const resolve of drained) resolve();
  }
}
