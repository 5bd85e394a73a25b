import { isExpelled, typeOf } from '../errors.js';
import type { Link } from './link.js';
import type { Broker } from './wire.js';

const GROUP = 0;

/** The broker that coordinates a group. */
export class Coordinator {
  readonly #link: Link;
  readonly #groupId: string;
  #node: number | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(link: Link, groupId: string) {
    this.#link = link;
    this.#groupId = groupId;
  }

  /**
   * One request, after those before it: a broker answers one at a time anyway, and kafkajs opens a second socket when two
   * requests meet a connection that is gone. Looks the coordinator up again after any failure that it did not answer itself.
   */
  ask<T>(request: (broker: Broker) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(() => this.#ask(request));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #ask<T>(request: (broker: Broker) => Promise<T>): Promise<T> {
    try {
      return await request(await this.#broker());
    } catch (error) {
      if (!isExpelled(error) && typeOf(error) !== 'REBALANCE_IN_PROGRESS') this.#node = undefined;
      throw error;
    }
  }

  async #broker(): Promise<Broker> {
    if (this.#node === undefined) {
      const anyBroker = await this.#link.anyBroker();
      const { coordinator } = await anyBroker.findGroupCoordinator({ groupId: this.#groupId, coordinatorType: GROUP });
      this.#node = coordinator.nodeId;
    }
    return this.#link.broker(this.#node);
  }
}
