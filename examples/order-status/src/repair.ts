import type { DeadLetter, DeadLetters, Messaging } from '@anymq/core';
import { orderStatus, RUN, type Status, statusChange } from './order.js';
import type { ServiceName } from './reactions.js';

/** A dead letter, as the example judges it. */
export interface Letter {
  readonly id: string;
  readonly messageId: string;
  readonly order: string;
  readonly status: Status;
  readonly sequence: number;
  readonly attempts: number;
  /** Name of the error. */
  readonly error: string | undefined;
  readonly message: string | undefined;
}

/** What a group has given up of this run, in the order in which it must be applied. */
export class Letters {
  readonly #letters: DeadLetters;
  readonly #run: string;

  constructor(messaging: Messaging, group: ServiceName, run: string) {
    this.#letters = messaging.deadLetters(orderStatus, { group });
    this.#run = run;
  }

  async list(): Promise<readonly Letter[]> {
    const letters: Letter[] = [];
    const where = ({ headers }: DeadLetter): boolean => headers[RUN] === this.#run;
    for await (const letter of this.#letters.list({ where })) letters.push(letterOf(letter));
    return letters.sort((a, b) => a.order.localeCompare(b.order) || a.sequence - b.sequence);
  }

  /** Sends one back to its group. Resolves with 0 when there was none. */
  async redrive(id: string): Promise<number> {
    return (await this.#letters.redrive({ ids: [id] })).redriven;
  }
}

function letterOf({ id, messageId, attempts, cause, body }: DeadLetter): Letter {
  const { order, status, sequence } = statusChange.parse(JSON.parse(Buffer.from(body).toString()));
  return { id, messageId, order, status, sequence, attempts, error: cause.error, message: cause.message };
}
