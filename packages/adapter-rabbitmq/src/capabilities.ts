import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });

/** What is promised on RabbitMQ 3.10 and newer, without any plugin. */
export const capabilities: Capabilities = Object.freeze({
  rows: Object.freeze({
    'durable-send': native(
      'Persistent messages into quorum queues and a stream, resolved by the broker confirming all of them.',
    ),
    fidelity: native('Bodies, keys, ids and headers are exact; headers whose names the broker claims are escaped.'),
    'at-least-once': native('Acknowledged after the handler; what is unsettled returns when its channel closes.'),
    groups: emulated(
      'Queues of their own for every group; buckets are shared among members, balanced by signs of life.',
    ),
    broadcast: emulated(
      'A queue for each consumer, deleted when it closes, by the broker 10 minutes after its process was killed; a consumer that is cut off for longer is told with subscription-failed.',
    ),
    'start-earliest': emulated(
      'A new group gets the topic’s stream (7 days by default) copied, then what comes; a plain message without an id may come twice.',
    ),
    'start-latest': native('From the moment the group’s queues are bound.'),
    'key-order': native(
      'A key is in one bucket, a bucket has one active consumer; in a cluster a leader election can reorder what was being sent.',
    ),
    'independent-keys': native(
      'Behind a key that waits the rest of its bucket is handled, as far as the prefetch reaches: 2 x (maxInFlight + maxHeld) / buckets messages.',
    ),
    redelivery: native('In order, as soon as the channel of the member that had it is closed.'),
    'attempts-survive': emulated(
      'Failed calls are noted in a stream of the group (20 MB or 30 days); what ran at a crash is not counted.',
    ),
    release: emulated(
      'A copy goes to the group’s inbox with its attempt count: later messages of the key pass, and the copy may be handled beside another of its key by another member.',
    ),
    'dead-letters': emulated(
      'Kept for ever, in a stream for each topic and group without a limit of age or size, where what was removed still takes room on disk.',
    ),
    'broker-limits': native(
      'What a limit of time or deliveries takes out of a group’s queues is kept in a queue of the group and becomes a dead letter; a limit of length refuses what comes.',
    ),
    delay: emulated(
      'Kept in topics of one lane, which a process with a sender of the topic holds until they are due; while none is connected nothing is lost, and comes late.',
    ),
    batch: native('Up to 50 messages are written as one, 1,000 may be unconfirmed.'),
    'topic-settings': native(
      'The settings are arguments of the topic’s exchanges and queues, which the broker compares.',
    ),
    'no-history': native('Without the stream; the group must exist before the message.'),
    'given-topology': native(
      "With topology: 'check' missing topics and groups are NOT_FOUND; only a member's own queue and the group's notes are declared.",
    ),
    unroutable: native('Published as mandatory: what no queue gets is refused with UNROUTABLE.'),
    backpressure: emulated(
      'Beyond the credit a bucket holds at most twice its share of maxInFlight on the wire, whatever their size; a broker in need of memory or disk stalls sends.',
    ),
    lag: emulated(
      'Exact for queues and this member; what other members hold is as old as their last sign of life, 0.5 s.',
    ),
    'native-interop': native(
      'Plain clients publish to the topic’s exchange and read its stream, or a queue bound to it.',
    ),
    authentication: native('User and password or a client certificate; a refused login ends the connecting at once.'),
    recovery: emulated(
      'Connections and channels are replaced with back-off, for as long as it takes, and stand in line again.',
    ),
    network: emulated(
      'Heartbeats find dead connections; a write that was not confirmed in time is unknown, and sent again with its id.',
    ),
  }),
  // The broker closes a channel whose delivery is unsettled for 30 minutes: 20 leave room for the handler.
  limits: Object.freeze({
    maxBodyBytes: 16 * 1024 * 1024,
    maxHeadersBytes: 16 * 1024,
    takeoverMs: 2_000,
    maxHoldMs: 1_200_000,
    maxDelayMs: 604_800_000,
    delayToleranceMs: 1_000,
  }),
});
