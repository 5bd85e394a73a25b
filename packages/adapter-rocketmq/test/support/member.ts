import type { Adapter, IncomingRecord, Receiver, ReceiverSpec, Sender, TopicSpec } from '@anymq/core/adapter';

/** A group's subscription from the beginning. */
export function groupSpec(topic: TopicSpec, group: string, maxInFlight = 1_000): ReceiverSpec {
  return { topic, group, startFrom: 'earliest', maxInFlight, maxInFlightBytes: 1e9, charter: 'c' };
}

/** A receiver, what it was given, and what it lost. Settles nothing by itself. */
export class Member {
  readonly records: IncomingRecord[] = [];
  readonly lost: string[] = [];
  /** Batches that are done. */
  readonly over: string[] = [];
  #receiver: Receiver | undefined;

  static async join(adapter: Adapter, spec: ReceiverSpec): Promise<Member> {
    const member = new Member();
    const sink = {
      own: (name: string) => ({
        name,
        drain: async () => void member.over.push(name),
        lost: () => void member.lost.push(name),
      }),
      deliver: (records: readonly IncomingRecord[]) => void member.records.push(...records),
      failed: (error: unknown) => void member.lost.push(String(error)),
    };
    member.#receiver = await adapter.openReceiver(spec, sink);
    member.receiver.credit(spec.maxInFlight, Number.POSITIVE_INFINITY);
    return member;
  }

  get receiver(): Receiver {
    if (this.#receiver === undefined) throw new Error('not joined');
    return this.#receiver;
  }

  get ids(): string[] {
    return this.records.map(({ id }) => id);
  }

  settle(wanted: (record: IncomingRecord) => boolean = () => true): void {
    this.receiver.settle(this.records.filter(wanted));
  }
}

/** One after the other; throws for what was not stored. */
export async function sendAll(sender: Sender, records: Parameters<Sender['write']>[1]): Promise<void> {
  for (const record of records) {
    const [result] = await sender.write(sender.laneOf(record), [record]);
    if (result?.status !== 'stored') throw new Error(`not stored: ${String(result?.error)}`);
  }
}
