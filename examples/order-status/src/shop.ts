import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, type Messaging, type Producer, type Receipt } from '@anymq/core';
import { changeId, orderExpiry, orderStatus, PAID, RUN, type Status, sequenceOf } from './order.js';
import type { PlannedOrder } from './plan.js';

/** `refused`: paid too late, so the money goes back. */
export type Fate = 'paid' | 'refused' | 'unpaid';

const ASK_AGAIN = 5;
/** A delay that will certainly be cancelled in time. */
const REHEARSAL_MS = 600_000;

/** Creates orders, takes the money, packs and ships. Whether an order is paid in time the cancelled timer decides, and nothing else. */
export class Shop {
  readonly #producer: Producer;
  readonly #run: string;

  constructor(messaging: Messaging, run: string) {
    this.#producer = messaging.producer();
    this.#run = run;
  }

  /** The first delay of all makes what delays need on a broker: that must not use up the time of the first customer. */
  async rehearse(): Promise<void> {
    await this.#cancel(await this.#startTimer({ order: 'rehearsal', article: 'none' }, Date.now() + REHEARSAL_MS));
  }

  /** Resolves with what became of each order, when nothing more will be sent by the shop. */
  async live(plan: readonly PlannedOrder[]): Promise<ReadonlyMap<string, Fate>> {
    const fates = await Promise.all(plan.map(async (planned) => [planned.order, await this.#live(planned)] as const));
    await this.#producer.close();
    return new Map(fates);
  }

  async #live(planned: PlannedOrder): Promise<Fate> {
    const { createAfterMs, payAfterMs, deadlineMs } = planned;
    await sleep(createAfterMs);
    const createdAt = Date.now();
    const deadline = createdAt + deadlineMs;
    await this.#send(planned, 'created', deadline);
    const timer = await this.#startTimer(planned, deadline);
    if (payAfterMs === undefined) return 'unpaid';
    await sleep(createdAt + payAfterMs - Date.now());
    if ((await this.#cancel(timer)) === 'too-late') return 'refused';
    for (const status of PAID.slice(1)) {
      await this.#send(planned, status, deadline);
      await sleep(planned.stepMs);
    }
    return 'paid';
  }

  #send({ order, article }: PlannedOrder, status: Status, deadline: number): Promise<Receipt> {
    const change = { order, status, sequence: sequenceOf(status), article, deadline, at: Date.now() };
    return this.#producer.send(orderStatus, change, {
      id: changeId(this.#run, order, status),
      headers: { [RUN]: this.#run },
    });
  }

  #startTimer({ order, article }: Pick<PlannedOrder, 'order' | 'article'>, deadline: number): Promise<Receipt> {
    const id = `${this.#run}-${order}-deadline`;
    const options = { id, deliverAt: deadline, headers: { [RUN]: this.#run } };
    return this.#producer.send(orderExpiry, { order, article, deadline }, options);
  }

  /** An answer that was lost is asked for again: it stays the same. */
  async #cancel({ cancelToken = '' }: Receipt): Promise<'cancelled' | 'too-late'> {
    for (let left = ASK_AGAIN; ; left--) {
      try {
        return await this.#producer.cancel(cancelToken);
      } catch (error) {
        if (codeOf(error) !== 'INDETERMINATE' || left === 0) throw error;
      }
    }
  }
}
