import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });
const unsupported = (note: string): Capability => Object.freeze({ level: 'unsupported', note });

/** What is promised on RocketMQ 5.3 and newer, through its proxy. */
export const capabilities: Capabilities = Object.freeze({
  rows: Object.freeze({
    'durable-send': native(
      'Resolved by the broker’s answer; how it writes to disk and copies is the broker’s setting.',
    ),
    fidelity: native(
      'Exact; what RocketMQ refuses (control characters, empty values and bodies, reserved names) is written escaped.',
    ),
    'at-least-once': native(
      'Acknowledged after the handler; leases are renewed as long as the process lives. A broker that is killed delivers again what was acknowledged in its last 5 s.',
    ),
    groups: native('A consumer group; members share queue by queue, a keyed topic’s queue is with one at a time.'),
    broadcast: emulated(
      'A group for each consumer, deleted when it closes; that of a killed one is deleted by the next broadcast consumer that starts, five minutes later or more.',
    ),
    'start-earliest': native('Of what the broker has kept: 3 days by default.'),
    'start-latest': native('The position is set when the group is created, before its first receive.'),
    'key-order': native(
      'A key is in one queue, which the group has locked until all that was taken is done: a failing message delays the keys of its queue. A send that timed out can be stored behind its resend.',
    ),
    'independent-keys': unsupported(
      'RocketMQ gives of a queue only the 31 messages behind its first unsettled one: a key that waits holds back what comes later in its queue.',
    ),
    redelivery: native(
      'After a close at once on keyed topics, within 8 s on others; after a crash when the lease has run out (leaseMs).',
    ),
    'attempts-survive': emulated(
      'Noted on the name servers once a message is unsettled for 250 ms after it failed, at once on leaving; a crash forgets what failed since, and what ran.',
    ),
    release: emulated(
      'A copy goes to the group’s inbox with its attempt count, and later messages of the key pass; another member may handle the copy beside another message of its key.',
    ),
    'dead-letters': emulated(
      'A topic of their own for each group, which the broker compacts, keeps the last record of each letter for ever; with enableCompaction=false as long as other messages, 72 hours by default.',
    ),
    'broker-limits': native(
      'What the broker gives up after retryMaxTimes deliveries, which is set as high as it goes, is read from %DLQ% and becomes a dead letter.',
    ),
    delay: native(
      'A topic of type DELAY holds them; the broker’s timer has steps of one second. A broker that is killed may bring what it took in its last seconds twice.',
    ),
    batch: emulated(
      'Up to concurrentSends requests at once: RocketMQ mixes up the properties of messages sent together.',
    ),
    'topic-settings': native(
      'A keyed topic has the message type FIFO, one of delayed messages DELAY, another one NORMAL, which the broker keeps.',
    ),
    'no-history': native('Topics keep their history in any case; groups that do not exist yet need not use it.'),
    'given-topology': native("With topology: 'check' missing topics and groups are NOT_FOUND, and nothing is created."),
    unroutable: unsupported('RocketMQ stores a message whether any group receives it or not.'),
    backpressure: native(
      'Never more messages are received than there is credit for; beyond maxInFlightBytes at most 32 of each receive loop wait; a broker in need refuses sends.',
    ),
    lag: native('Delivery position of the group and what this member holds; what other members hold is not seen.'),
    'native-interop': native(
      'A normal or FIFO topic: plain clients send to it and receive from it with groups of their own.',
    ),
    authentication: native('Access key and secret sign every request; refused ones end the connecting at once.'),
    recovery: emulated(
      'Calls are repeated with back-off, for as long as it takes; leases of an owner that is gone run out.',
    ),
    network: emulated(
      'Every call has a deadline; a write whose answer did not come is unknown, and sent again with its id.',
    ),
  }),
  limits: Object.freeze({
    maxBodyBytes: 4 * 1024 * 1024 - 64 * 1024,
    maxHeadersBytes: 8 * 1024,
    takeoverMs: 12_000,
    maxHoldMs: 3_600_000,
    maxDelayMs: 86_400_000,
    delayToleranceMs: 1_500,
  }),
});
