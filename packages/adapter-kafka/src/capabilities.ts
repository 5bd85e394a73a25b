import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });

/** What this adapter claims, with default options. */
export const capabilities: Capabilities = Object.freeze({
  rows: Object.freeze({
    'durable-send': native('Confirmed by all in-sync replicas (acks=-1); every answer is checked by partition.'),
    fidelity: native(
      'Body, key and headers are record fields; a time far from the present travels in a header, so that retention by time does not take the message.',
    ),
    'at-least-once': native('What is not committed is read again by the next owner of the partition.'),
    groups: native('One Kafka consumer group for each group and topic; as many members work as there are partitions.'),
    'start-earliest': native('Everything the topic still keeps.'),
    'start-latest': native('The ends of all partitions, fixed by a commit before the first member joins.'),
    'key-order': native('A key stands in one partition; a rebalance waits until the running handlers have ended.'),
    redelivery: emulated(
      'Finished messages above the oldest unfinished one are noted with the commit and not repeated; up to 1,000 unfinished messages of a partition are under way.',
    ),
    'attempts-survive': emulated(
      'Noted with the commit within about 150 ms; a crash before that forgets the last attempt.',
    ),
    batch: native('Up to 100 messages of one partition in one request.'),
    'no-history': native('The topic keeps messages all the same, as long as its retention says.'),
    // Kafka knows no groups when it takes a message: there is nothing to ask whether it can be delivered.
    unroutable: Object.freeze({
      level: 'unsupported',
      note: 'A topic takes and keeps messages whether a group exists or not, so no send is refused for want of one.',
    }),
    backpressure: native(
      'A partition is not asked for more while maxBytesPerPartition of it waits for credit: at most twice that is held.',
    ),
    lag: native('Exact for messages; what other writers of the topic abort or compact counts until it was passed.'),
    'native-interop': native('Plain records with text headers.'),
  }),
  limits: Object.freeze({ maxBodyBytes: 1_000_000, maxHeadersBytes: 16 * 1024, takeoverMs: 12_000 }),
});
