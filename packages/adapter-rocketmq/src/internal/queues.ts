import type { NativeDelivery } from '../codec.js';
import type { Entry } from './batch.js';
import { MAX_ANSWER } from './calls.js';

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
  /**
   * A crash of the broker has set the queue back so far that no answer can reach all entries: the last offset that it reached. What
   * is behind that comes again once what is before it is done, which it may be told when nothing behind it is being handled.
   */
  setBackTo: number | undefined;
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

  find({ queue, messageId }: Pick<NativeDelivery, 'queue' | 'messageId'>): Entry | undefined {
    return this.#held.get(queue)?.entries.find((entry) => entry.messageId === messageId);
  }

  /** What one answer brought of a queue: everything below is done, and nothing above any more. */
  looked(queue: string, { first, last }: Range, attempt: string, now: number): void {
    const held = this.#held.get(queue) ?? this.#hold(queue, attempt);
    held.attempt = attempt;
    held.lookedAt = now;
    held.entries = held.entries.filter(({ offset }) => offset >= first);
    for (const entry of held.entries) entry.confirmed = false;
    const behind = held.entries.filter(({ offset, batch }) => offset > last && !batch.lost);
    held.whole = behind.length === 0;
    held.setBackTo = behind.some(({ offset }) => offset - first >= MAX_ANSWER) ? last : undefined;
  }

  #hold(queue: string, attempt: string): Held {
    const held = { attempt, entries: [], whole: true, setBackTo: undefined, lookedAt: 0, waitMs: MIN_WAIT_MS };
    this.#held.set(queue, held);
    return held;
  }

  /** An answer to this request was lost: what the broker counts on is not known. */
  unanswered(attempt: string): void {
    for (const held of this.#held.values()) {
      if (held.attempt !== attempt) continue;
      held.whole = false;
      held.setBackTo = undefined;
      for (const entry of held.entries) entry.confirmed = false;
    }
  }

  /** The broker had nothing of it for us: after an answer was lost, or too short, that says that somebody else has it. */
  nothing(queue: string): void {
    const held = this.#held.get(queue);
    if (held === undefined || held.whole) return;
    held.entries = held.entries.filter(({ settled }) => !settled);
    held.whole = true;
    held.setBackTo = undefined;
    if (held.entries.length === 0) this.#held.delete(queue);
  }

  /** An acknowledgement would have its effect, and no other. */
  canAcknowledge({ queue, offset }: Entry): boolean {
    const held = this.#held.get(queue);
    if (held === undefined || held.whole) return true;
    return held.setBackTo !== undefined && offset <= held.setBackTo && !runsBehind(held);
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

  /**
   * A queue of which the last answer was too short, with something settled that cannot be acknowledged, or was set back and has to
   * stay locked until what is handled behind that is settled.
   */
  forgotten(now: number): Stuck | undefined {
    for (const [queue, held] of this.#held) {
      if (!isForgotten(held, now) && !isToBeKept(held, now)) continue;
      held.lookedAt = now;
      return { queue, attempt: held.attempt, known: held.entries.length };
    }
    return undefined;
  }

  /** Somewhere something is unsettled, or forgotten. */
  waiting(now: number): boolean {
    for (const held of this.#held.values()) {
      if (isForgotten(held, now) || held.entries.some(isOpen)) return true;
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

function isForgotten(held: Held, now: number): boolean {
  if (held.whole || runsBehind(held)) return false;
  const { entries, setBackTo = Number.POSITIVE_INFINITY } = held;
  const isUntold = ({ offset, confirmed }: Entry): boolean => offset <= setBackTo && !confirmed;
  return entries.some((entry) => entry.settled && isUntold(entry) && !entry.batch.lost && now < entry.leaseUntil);
}
/** Something is handled behind what the broker counts on. */
const runsBehind = ({ setBackTo, entries }: Held): boolean =>
  setBackTo !== undefined && entries.some((entry) => isOpen(entry) && entry.offset > setBackTo);
const isToBeKept = (held: Held, now: number): boolean => runsBehind(held) && now - held.lookedAt >= MAX_WAIT_MS;
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
