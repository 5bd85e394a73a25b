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
  /** Monotonic milliseconds. */
  lookedAt: number;
  waitMs: number;
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

  /** What one answer brought of a queue begins at `offset`: everything below is done, and nothing above any more. */
  looked(queue: string, offset: number, attempt: string, now: number): void {
    const held = this.#held.get(queue);
    if (held === undefined) {
      this.#held.set(queue, { attempt, entries: [], lookedAt: now, waitMs: MIN_WAIT_MS });
      return;
    }
    held.attempt = attempt;
    held.lookedAt = now;
    held.entries = held.entries.filter((entry) => entry.offset >= offset);
    for (const entry of held.entries) entry.confirmed = false;
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
  done({ queue }: Entry): void {
    const held = this.#held.get(queue);
    if (held === undefined) return;
    const first = held.entries.findIndex(({ confirmed }) => !confirmed);
    if (first < 0) this.#held.delete(queue);
    else if (first > 0) held.entries.splice(0, first);
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

  /** A queue of which the last answer was too short: what was settled behind it is new to the broker again. */
  forgotten(): Stuck | undefined {
    for (const [queue, { attempt, entries }] of this.#held) {
      if (entries.some(isForgotten)) return { queue, attempt, known: entries.length };
    }
    return undefined;
  }

  /** Somewhere something is unsettled, or forgotten. */
  get waiting(): boolean {
    for (const { entries } of this.#held.values()) {
      if (entries.some((entry) => isOpen(entry) || isForgotten(entry))) return true;
    }
    return false;
  }

  /** What was settled above something unsettled, and will come again to whoever gets the queue next. */
  settledAbove(): Entry[] {
    return [...this.#held.values()].flatMap(({ entries }) => {
      const first = entries.findIndex(({ settled }) => !settled);
      return first < 0 ? [] : entries.slice(first).filter(({ settled }) => settled);
    });
  }
}

/** Told to the broker before, and not since its last answer. */
const isForgotten = ({ acknowledged, confirmed }: Entry): boolean => acknowledged && !confirmed;
const isOpen = ({ settled, batch }: Entry): boolean => !settled && !batch.over;
