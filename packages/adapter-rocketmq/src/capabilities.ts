import type { Capabilities, Capability } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });
const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });

/** What is promised on RocketMQ 5.3 and newer, through its proxy. */
export const capabilities: Capabilities = Object.freeze({
  rows: Object.freeze({
    'durable-send': native(
      'Resolved by the broker’s answer; how it writes to disk and copies is the broker’s setting.',
    ),
    fidelity: native(
      'Exact; what RocketMQ refuses (control characters, empty values and bodies, reserved names) is written escaped.',
    ),
    'at-least-once': native('Acknowledged after the handler; leases are renewed as long as the process lives.'),
    groups: native('A consumer group; members share queue by queue, a keyed topic’s queue is with one at a time.'),
    'start-earliest': native('Of what the broker has kept: 3 days by default.'),
    'start-latest': native('The position is set when the group is created, before its first receive.'),
    'key-order': native(
      'A key is in one queue, which the group has locked until all that was taken is done: a failing message delays the keys of its queue. A send that timed out can be stored behind its resend.',
    ),
    redelivery: native(
      'After a close at once on keyed topics, within 8 s on others; after a crash when the lease has run out (leaseMs).',
    ),
    'attempts-survive': emulated(
      'Failed calls are noted on the broker beside the group; what ran at a crash is not counted.',
    ),
    batch: emulated(
      'Up to concurrentSends requests at once: RocketMQ mixes up the properties of messages sent together.',
    ),
    'no-history': native('Topics keep their history in any case; groups that do not exist yet need not use it.'),
    unroutable: Object.freeze({
      level: 'unsupported',
      note: 'RocketMQ stores a message whether any group receives it or not.',
    }),
    backpressure: native('Never more is received than there is credit for; a broker in need refuses sends.'),
    lag: native('Delivery position of the group and what this member holds; what other members hold is not seen.'),
    'native-interop': native(
      'A normal or FIFO topic: plain clients send to it and receive from it with groups of their own.',
    ),
  }),
  limits: Object.freeze({ maxBodyBytes: 4 * 1024 * 1024 - 64 * 1024, maxHeadersBytes: 8 * 1024, takeoverMs: 12_000 }),
});
