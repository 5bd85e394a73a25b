import type { Capabilities, Capability, CapabilityId } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });

const emulated = (note: string): Capability => Object.freeze({ level: 'emulated', note });

const unsupported = (note: string): Capability => Object.freeze({ level: 'unsupported', note });

const ROWS: Readonly<Record<CapabilityId, Capability>> = Object.freeze({
  'durable-send': native(
    'A confirmed message is kept as long as the broker object lives; nothing survives the process.',
  ),
  fidelity: native('Bodies are handed over as they are, headers as a copy for each group.'),
  'at-least-once': native('What is unsettled goes to another member when its owner leaves or its lease runs out.'),
  groups: native('Partitions are shared evenly among the members, and move only after their running handlers ended.'),
  broadcast: native(
    'A group for each consumer; one that is cut off for 20 leases (leaseMs) loses it and is told with subscription-failed.',
  ),
  'start-earliest': native(
    'Everything for the first group of a topic; for later ones what groups need and historyMaxMessages beyond it.',
  ),
  'start-latest': native('The ends of all partitions at the moment of the first join.'),
  'key-order': native('A key stands in one partition, and a partition has one owner.'),
  'independent-keys': native('A key that waits holds back nothing else of its partition.'),
  redelivery: native('From the oldest unsettled message on, in order; what was settled out of order is not repeated.'),
  'attempts-survive': native('Kept by the broker as soon as they are noted, whatever happens to the member.'),
  release: emulated(
    "A copy goes to the group's inbox with its attempt count, and later messages of the key pass; another member may handle the copy beside another message of its key.",
  ),
  'dead-letters': emulated(
    'A topic of their own for each group keeps the last record of each letter, whatever its age and size, as long as the broker object lives.',
  ),
  'broker-limits': unsupported(
    'The engine gives nothing up by itself: a group’s line has no limit of time, length or deliveries.',
  ),
  delay: emulated('Held in a topic of one lane by a process that waits until they are due.'),
  batch: native('A write of up to 1,000 messages of one partition is stored as one.'),
  'topic-settings': native(
    'A topic remembers whether it has keys and history, is one lane, and keeps the last of each key.',
  ),
  'no-history': native('Messages are dropped as soon as every group has settled them.'),
  'given-topology': native("With topology: 'check' missing topics and groups are NOT_FOUND, and nothing is created."),
  unroutable: native('As on RabbitMQ: without history and without a group a send is refused.'),
  backpressure: native('Nothing is handed over beyond the credit; a topic at backlogMaxBytes takes no more.'),
  lag: native('Exact: what was stored and is not settled.'),
  'native-interop': native('The broker object publishes and reads plain messages.'),
  authentication: native('The broker object refuses everybody while it is set to.'),
  recovery: native('Senders and receivers go on as soon as the broker object is available again.'),
  network: unsupported('There is no network between a process and the engine in it.'),
});

/** @param maxBodyBytes from the broker's settings */
export function capabilitiesOf(maxBodyBytes: number): Capabilities {
  return Object.freeze({
    rows: ROWS,
    limits: Object.freeze({
      maxBodyBytes,
      maxHeadersBytes: 16 * 1024,
      takeoverMs: 1_000,
      maxHoldMs: 86_400_000,
      maxDelayMs: 604_800_000,
      delayToleranceMs: 1_000,
    }),
  });
}
