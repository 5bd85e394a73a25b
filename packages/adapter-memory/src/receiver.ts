import type { IncomingRecord, Receiver, ReceiverSink } from '@anymq/core/adapter';
import type { Client, Renewable } from './client.js';
import type { Group } from './internal/group.js';
import type { Member } from './internal/member.js';

export class MemoryReceiver implements Receiver, Renewable {
  readonly #client: Client;
  readonly #group: Group;
  readonly #member: Member;

  constructor(client: Client, group: Group, sink: ReceiverSink) {
    this.#client = client;
    this.#group = group;
    this.#member = group.member(sink);
    group.join(this.#member);
    client.add(this);
  }

  credit(records: number): void {
    this.#member.credit(records);
  }

  settle(records: readonly IncomingRecord[]): void {
    this.#member.settle(records);
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#member.hold(record, attempts);
  }

  async lag(): Promise<number> {
    await this.#client.engine.roundTrip();
    return this.#group.lag;
  }

  renew(): void {
    this.#group.renew(this.#member);
  }

  /** Settlements were applied as they came, so leaving is all there is to do. */
  async close(): Promise<void> {
    this.leave();
    await this.#client.engine.roundTrip();
  }

  leave(): void {
    this.#client.remove(this);
    this.#group.leave(this.#member);
  }
}
