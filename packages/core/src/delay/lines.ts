import type { TopicSpec } from '../adapter/spi.js';
import { delayed, type History, ledger, line, SYSTEM } from '../system/topics.js';

/**
 * How long a message stays in each line, milliseconds, the longest first. It goes to the longest that leaves it its head start,
 * so a line is left in the order in which it was entered: only its head needs a timer, and nothing waits behind what is due
 * later. The longest stays below what brokers let a consumer hold (RabbitMQ: 30 minutes); 24 hours are about 100 lines.
 */
const DWELLS = [1_000_000, 60_000, 5_000, 1_000] as const;
/**
 * So long before it is due at least a message comes to the gate, milliseconds: the way there makes nothing late, and what is due
 * at the same time has met there before. Were it much longer, much would have to wait there at once. No round number: of delays
 * that are, those of one burst would part where the remaining ones become too short for a line.
 */
export const HEAD_START_MS = 1_300;
/**
 * So long before it is due a broker that holds messages back gives one, milliseconds: its timer is coarse, and those that it gave
 * are put in order here. They wait until they are due, and only then go to the gate: of a topic of one lane such a broker gives
 * but a few messages behind one that waits.
 */
export const NATIVE_LEAD_MS = 2_000;

/** A line that holds every message for the same time. */
export interface Level {
  readonly dwellMs: number;
  readonly spec: TopicSpec;
}

/** The topics in which delayed messages of a namespace wait. */
export interface DelayLines {
  /** The last line, for what is due soon: who owns it decides what goes on and what was cancelled. */
  readonly gate: TopicSpec;
  /** What was decided about cancelling, by the token of the send. */
  readonly decisions: TopicSpec;
  readonly levels: readonly Level[];
  /** In place of levels, where the broker itself holds messages back. */
  readonly native: TopicSpec | undefined;
}

export function delayLines(history: History, native: boolean): DelayLines {
  const name = (end: string): string => `${SYSTEM}delay.${end}`;
  return {
    gate: line(name('gate'), history),
    decisions: ledger(name('decisions')),
    levels: native ? [] : DWELLS.map((dwellMs) => ({ dwellMs, spec: line(name(`line-${dwellMs / 1_000}s`), history) })),
    native: native ? delayed(name('native'), history) : undefined,
  };
}

/**
 * Where a message waits that is due in `leftMs`. Where the broker holds messages back the gate holds none: what has its head start
 * waits with the forwarder that the broker gave it to, because such a broker gives little of a lane beyond what is unsettled.
 */
export function lineFor({ gate, levels, native }: DelayLines, leftMs: number): TopicSpec {
  if (native !== undefined) return leftMs > 0 ? native : gate;
  return levels.find(({ dwellMs }) => dwellMs + HEAD_START_MS <= leftMs)?.spec ?? gate;
}
