import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Consumer,
  type Delivery,
  deadLetter,
  exponential,
  type Messaging,
  type Outcome,
  type RetryPolicy,
} from '@anymq/core';
import { Journal, journalFile } from './journal.js';
import { type Entry, Ledger } from './ledger.js';
import { orderStatus, RUN, type StatusChange } from './order.js';
import { drawn } from './random.js';
import { REACTIONS, type ServiceName } from './reactions.js';

/** Handler calls before a change becomes a dead letter. */
export const MAX_ATTEMPTS = 5;
const RETRY: RetryPolicy = {
  maxAttempts: MAX_ATTEMPTS,
  backoff: exponential({ initialMs: 50, maxMs: 1_000 }),
  whileRetrying: 'hold-key',
};
/** How often a call fails for no reason, before its effect and after it. */
const FAILS_BEFORE = 0.05;
const FAILS_AFTER = 0.03;
/** Later calls do not fail by chance: only poison is given up. */
const UNLUCKY_ATTEMPTS = 2;
/** What a service does takes time: when it is killed there is something under way. */
const WORK_MS = 20;

/** Plain data: it goes to another process. */
export interface ServiceOptions {
  readonly name: ServiceName;
  readonly run: string;
  readonly seed: number;
  /** Of the journals and the catalogue. */
  readonly folder: string;
}

/** A change whose predecessor this service does not have: it follows that one into the dead letters. */
export class OutOfTurn extends Error {
  override readonly name = 'OutOfTurn';
  readonly code = 'OUT_OF_TURN';
}

/** One of the services: reacts to the changes of each order in turn, and to each change once. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #journal: Journal;
  readonly #ledger = new Ledger();
  readonly #consumer: Consumer;

  private constructor(messaging: Messaging, options: ServiceOptions, journal: Journal, entries: readonly Entry[]) {
    this.#options = options;
    this.#journal = journal;
    for (const entry of entries) this.#ledger.add(entry);
    this.#consumer = messaging.consumer({ group: options.name });
    this.#consumer.subscribe(orderStatus, (delivery) => this.#handle(delivery), { retry: RETRY });
  }

  /** Knows what it did before from its journal. Resolves when it has joined its group. */
  static async start(messaging: Messaging, options: ServiceOptions): Promise<Service> {
    const { journal, entries } = await Journal.open(journalFile(options.folder, options.name));
    await journal.append({ kind: 'started', pid: process.pid });
    const service = new Service(messaging, options, journal, entries);
    await service.#consumer.start();
    return service;
  }

  async stop(): Promise<void> {
    await this.#consumer.close();
    await this.#journal.close();
  }

  /** Nothing of it leaves a trace any more, as if its process were dead: the consumer is left as it is. */
  abandon(): Promise<void> {
    return this.#journal.close();
  }

  async #handle(delivery: Delivery<StatusChange>): Promise<void | Outcome> {
    const { id, value, headers } = delivery;
    if (headers[RUN] !== this.#options.run) return;
    if (this.#ledger.hasApplied(id)) return this.#write({ kind: 'duplicate', id });
    const { order, sequence, status } = value;
    if (sequence !== this.#ledger.changesOf(order).length) {
      await this.#write({ kind: 'out-of-turn', id, order });
      return deadLetter(new OutOfTurn(`${order} is not ready to be ${status}: the change before that is missing.`));
    }
    return this.#try(delivery);
  }

  async #try(delivery: Delivery<StatusChange>): Promise<void> {
    const { id, attempt, value } = delivery;
    try {
      await this.#apply(delivery);
    } catch (error) {
      await this.#write({
        kind: 'failed',
        id,
        order: value.order,
        applied: this.#ledger.hasApplied(id),
        last: attempt >= MAX_ATTEMPTS,
        error: String(error),
      });
      throw error;
    }
  }

  async #apply({ id, attempt, value }: Delivery<StatusChange>): Promise<void> {
    const { name, seed, folder } = this.#options;
    const luck = attempt > UNLUCKY_ATTEMPTS ? 1 : drawn(seed, name, value.order, value.sequence, attempt);
    await sleep(WORK_MS);
    if (luck < FAILS_BEFORE) throw new Error('An accident, before anything was done.');
    const effect = await REACTIONS[name](value, folder);
    await this.#write({ kind: 'applied', id, change: value, effect });
    if (luck < FAILS_BEFORE + FAILS_AFTER) throw new Error('An accident, after all was done.');
  }

  /** First the disk, then what is known: after a crash only the disk counts. */
  async #write(entry: Entry): Promise<void> {
    await this.#journal.append(entry);
    this.#ledger.add(entry);
  }
}
