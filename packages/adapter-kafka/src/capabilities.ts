import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const unsupported = (note: string): Capability => Object.freeze({ level: 'unsupported', note });
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
    broadcast: emulated(
      'A consumer group for each consumer, deleted when it closes; of a killed one Kafka forgets the positions by itself (offsets.retention.minutes, 7 days by default).',
    ),
    'start-earliest': native('Everything the topic still keeps.'),
    'start-latest': native('The ends of all partitions, fixed by a commit before the first member joins.'),
    'key-order': native('A key stands in one partition; a rebalance waits until the running handlers have ended.'),
    'independent-keys': emulated(
      'Behind a key that waits the rest of its partition is handled, up to 1,000 unfinished messages of it.',
    ),
    redelivery: emulated(
      'Finished messages above the oldest unfinished one are noted with the commit and not repeated; up to 1,000 unfinished messages of a partition are under way.',
    ),
    'attempts-survive': emulated(
      'Noted with the commit within about 150 ms; a crash before that forgets the last attempt.',
    ),
    release: emulated(
      "A copy goes to the group's inbox with its attempt count: later messages of its key pass, and another member may handle it beside another of its key.",
    ),
    'dead-letters': emulated(
      'Kept in a topic of their own, one partition, compacted by their ids and without a limit of time or size.',
    ),
    'broker-limits': unsupported(
      'Kafka gives nothing up by itself: it counts no deliveries, and retention is a matter of the topic, not of a group.',
    ),
    delay: emulated(
      'Delayed messages wait in topics of one partition: the process that owns it holds them and sends each on when it is due.',
    ),
    batch: native('Up to 100 messages of one partition in one request.'),
    'topic-settings': unsupported(
      'Kafka keeps nothing with a topic that tells one with keys from one without; a group refuses members that differ.',
    ),
    'no-history': native('The topic keeps messages all the same, as long as its retention says.'),
    'given-topology': native(
      "With topology: 'check' a missing topic is NOT_FOUND and nothing is created; Kafka's groups exist as soon as somebody joins.",
    ),
    // Kafka knows no groups when it takes a message: there is nothing to ask whether it can be delivered.
    unroutable: unsupported(
      'A topic takes and keeps messages whether a group exists or not, so no send is refused for want of one.',
    ),
    backpressure: native(
      'A partition is not asked for more while maxBytesPerPartition of it waits for credit: at most twice that is held.',
    ),
    lag: native('Exact for messages; what other writers of the topic abort or compact counts until it was passed.'),
    'native-interop': native('Plain records with text headers.'),
    authentication: native(
      'SASL plain, SCRAM and TLS client certificates; refused credentials end the connecting at once.',
    ),
    recovery: emulated(
      'Connections are replaced with back-off, for as long as it takes; members rejoin where the group stood.',
    ),
    network: emulated(
      'Every request has a time-out; a write whose answer did not come is unknown, and sent again with its id.',
    ),
  }),
  limits: Object.freeze({
    maxBodyBytes: 1_000_000,
    maxHeadersBytes: 16 * 1024,
    takeoverMs: 12_000,
    maxHoldMs: 86_400_000,
    maxDelayMs: 604_800_000,
    delayToleranceMs: 1_000,
  }),
});
