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
    'start-earliest': emulated(
      'A new group gets the topic’s stream (7 days by default) copied, then what comes; a plain message without an id may come twice.',
    ),
    'start-latest': native('From the moment the group’s queues are bound.'),
    'key-order': native(
      'A key is in one bucket, a bucket has one active consumer; in a cluster a leader election can reorder what was being sent.',
    ),
    redelivery: native('In order, as soon as the channel of the member that had it is closed.'),
    'attempts-survive': emulated(
      'Failed calls are noted in a stream of the group (20 MB or 30 days); what ran at a crash is not counted.',
    ),
    batch: native('Up to 50 messages are written as one, 1,000 may be unconfirmed.'),
    'no-history': native('Without the stream; the group must exist before the message.'),
    unroutable: native('Published as mandatory: what no queue gets is refused with UNROUTABLE.'),
    backpressure: emulated(
      'Beyond the credit a bucket holds at most twice its share of maxInFlight on the wire; a broker in need of memory or disk stalls sends.',
    ),
    lag: emulated(
      'Exact for queues and this member; what other members hold is as old as their last sign of life, 0.5 s.',
    ),
    'native-interop': native(
      'Plain clients publish to the topic’s exchange and read its stream, or a queue bound to it.',
    ),
  }),
  limits: Object.freeze({ maxBodyBytes: 16 * 1024 * 1024, maxHeadersBytes: 16 * 1024, takeoverMs: 2_000 }),
});
