import { ByteCredit, type IncomingRecord, type Receiver, type ReceiverSink } from '@anymq/core/adapter';
import type { Client, Renewable } from './client.js';
import type { Group } from './internal/group.js';
import type { Member } from './internal/member.js';

export class MemoryReceiver implements Receiver, Renewable {
  readonly #client: Client;
  readonly #group: Group;
  readonly #member: Member;

  constructor(client: Client, group: Group, sink: ReceiverSink, maxInFlightBytes: number) {
    this.#client = client;
    this.#group = group;
    this.#member = group.member(sink, new ByteCredit(maxInFlightBytes));
    group.join(this.#member);
    client.add(this);
  }

  credit(records: number, bytes: number): void {
    this.#member.credit(records, bytes);
  }

  settle(records: readonly IncomingRecord[]): void {
    this.#member.settle(records);
  }

  hold(record: IncomingRecord, attempts: number): void {
    this.#member.hold(record, attempts);
  }

  async lag(): Promise<number> {
    await this.#client.engine.roundTrip();
    const { refusal } = this.#client.way;
    if (refusal !== undefined) throw refusal;
    return this.#group.lag;
  }

  cut(error: Error): void {
    this.#group.cut(this.#member, error);
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
    this.#group.end(this.#member);
  }
}
