import type { NativeDelivery } from '../codec.js';
import type { Entry } from './batch.js';

/** First wait before a queue is looked into behind what is unsettled, and the longest. */
const MIN_WAIT_MS = 150;
const MAX_WAIT_MS = 2_000;

/** What we have of one queue of a keyed topic, from its first message that is not acknowledged. */
interface Held {
  /** Name of the request that has locked it. */
  attempt: string;
  /** By offset. */
  entries: Entry[];
  /**
   * The last answer reached all entries. Else the broker counts only on what it reached: acknowledgements of the rest are
   * confirmed and void, and those of what it reached open the queue to others.
   */
  whole: boolean;
  /** Monotonic milliseconds. */
  lookedAt: number;
  waitMs: number;
}

/** Offsets, both included. */
export interface Range {
  first: number;
  last: number;
}

/** A queue to look into. */
export interface Stuck {
  readonly queue: string;
  readonly attempt: string;
  /** How many messages come again before new ones. */
  readonly known: number;
}

/**
 * A queue of a keyed topic is locked until all that was taken is acknowledged, and gives everything again from its first
 * unacknowledged message, what is acknowledged above it included. This remembers what we have.
 */
export class Queues {
  readonly #held = new Map<string, Held>();

  find({ queue, messageId }: NativeDelivery): Entry | undefined {
    return this.#held.get(queue)?.entries.find((entry) => entry.messageId === messageId);
  }

  /** What one answer brought of a queue: everything below is done, and nothing above any more. */
  looked(queue: string, { first, last }: Range, attempt: string, now: number): void {
    const held = this.#held.get(queue);
    if (held === undefined) {
      this.#held.set(queue, { attempt, entries: [], whole: true, lookedAt: now, waitMs: MIN_WAIT_MS });
      return;
    }
    held.attempt = attempt;
    held.lookedAt = now;
    held.entries = held.entries.filter(({ offset }) => offset >= first);
    held.whole = held.entries.every(({ offset, batch }) => offset <= last || batch.lost);
    for (const entry of held.entries) entry.confirmed = false;
  }

  /** An answer to this request was lost: what the broker counts on is not known. */
  unanswered(attempt: string): void {
    for (const held of this.#held.values()) if (held.attempt === attempt) held.whole = false;
  }

  /** An acknowledgement would have its effect, and no other. */
  canAcknowledge({ queue }: Entry): boolean {
    return this.#held.get(queue)?.whole !== false;
  }

  /** New entries, or such as come back after their batch was over. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const held = this.#held.get(entry.queue);
      if (held === undefined) continue;
      held.waitMs = MIN_WAIT_MS;
      held.entries = held.entries.filter(({ messageId }) => messageId !== entry.messageId);
      held.entries.push(entry);
      held.entries.sort((a, b) => a.offset - b.offset);
    }
  }

  /** The broker knows that an entry is done. */
  done(entry: Entry): void {
    const { queue } = entry;
    const held = this.#held.get(queue);
    // What opened the queue may be confirmed only after its next messages have come: these are about to be added.
    if (held === undefined || !held.entries.includes(entry)) return;
    const first = held.entries.findIndex(({ confirmed }) => !confirmed);
    if (first < 0) this.#held.delete(queue);
    else if (first > 0) held.entries.splice(0, first);
  }

  /** The queue is locked by us: something of it is not acknowledged. */
  holds(queue: string): boolean {
    return this.#held.has(queue);
  }

  /** The queue that has waited longest behind unsettled messages, when it has waited long enough. */
  stuck(now: number): Stuck | undefined {
    let found: [string, Held] | undefined;
    for (const each of this.#held) {
      const { entries, lookedAt, waitMs } = each[1];
      if (now - lookedAt < waitMs || !entries.some(isOpen)) continue;
      if (found === undefined || lookedAt < found[1].lookedAt) found = each;
    }
    if (found === undefined) return undefined;
    const [queue, held] = found;
    held.lookedAt = now;
    held.waitMs = Math.min(MAX_WAIT_MS, held.waitMs * 2);
    return { queue, attempt: held.attempt, known: held.entries.length };
  }

  /** A queue of which the last answer was too short, with something settled that cannot be acknowledged. */
  forgotten(): Stuck | undefined {
    for (const [queue, held] of this.#held) {
      if (isForgotten(held)) return { queue, attempt: held.attempt, known: held.entries.length };
    }
    return undefined;
  }

  /** Somewhere something is unsettled, or forgotten. */
  get waiting(): boolean {
    for (const held of this.#held.values()) {
      if (isForgotten(held) || held.entries.some(isOpen)) return true;
    }
    return false;
  }

  /** What was settled, and will come again to whoever gets the queue next: something before it was not, or it cannot be told. */
  settledInVain(): Entry[] {
    return [...this.#held.values()].flatMap(({ entries, whole }) => {
      const first = whole ? entries.findIndex(({ settled }) => !settled) : 0;
      return first < 0 ? [] : entries.slice(first).filter(({ settled }) => settled);
    });
  }
}

const isForgotten = ({ whole, entries }: Held): boolean =>
  !whole && entries.some(({ settled, batch }) => settled && !batch.lost);
const isOpen = ({ settled, batch }: Entry): boolean => !settled && !batch.over;

/** What an answer holds of each queue. */
export function rangesOf(deliveries: readonly NativeDelivery[]): Map<string, Range> {
  const ranges = new Map<string, Range>();
  for (const { queue, offset } of deliveries) {
    const { first, last } = ranges.get(queue) ?? { first: offset, last: offset };
    ranges.set(queue, { first: Math.min(first, offset), last: Math.max(last, offset) });
  }
  return ranges;
}
