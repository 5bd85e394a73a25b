import type { Capabilities, Capability, CapabilityId } from '@anymq/core/adapter';

const native = (note: string): Capability => Object.freeze({ level: 'native', note });

const ROWS: Readonly<Record<CapabilityId, Capability>> = Object.freeze({
  'durable-send': native(
    'A confirmed message is kept as long as the broker object lives; nothing survives the process.',
  ),
  fidelity: native('Bodies are handed over as they are, headers as a copy for each group.'),
  'at-least-once': native('What is unsettled goes to another member when its owner leaves or its lease runs out.'),
  groups: native('Partitions are shared evenly among the members, and move only after their running handlers ended.'),
  'start-earliest': native(
    'Everything for the first group of a topic; for later ones what groups need and historyMaxMessages beyond it.',
  ),
  'start-latest': native('The ends of all partitions at the moment of the first join.'),
  'key-order': native('A key stands in one partition, and a partition has one owner.'),
  redelivery: native('From the oldest unsettled message on, in order; what was settled out of order is not repeated.'),
  'attempts-survive': native('Kept by the broker as soon as they are noted, whatever happens to the member.'),
  batch: native('A write of up to 1,000 messages of one partition is stored as one.'),
  'no-history': native('Messages are dropped as soon as every group has settled them.'),
  unroutable: native('As on RabbitMQ: without history and without a group a send is refused.'),
  backpressure: native('Nothing is handed over beyond the credit; a topic at backlogMaxBytes takes no more.'),
  lag: native('Exact: what was stored and is not settled.'),
  'native-interop': native('The broker object publishes and reads plain messages.'),
});

/** @param maxBodyBytes from the broker's settings */
export function capabilitiesOf(maxBodyBytes: number): Capabilities {
  return Object.freeze({
    rows: ROWS,
    limits: Object.freeze({ maxBodyBytes, maxHeadersBytes: 16 * 1024, takeoverMs: 1_000 }),
  });
}
