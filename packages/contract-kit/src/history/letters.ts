import type { LetterEvent, ListingEvent } from './events.js';
import type { History } from './history.js';

/** One process sends one message back to its group, however often it writes it. */
export interface Redrive {
  readonly process: string;
  readonly begin: LetterEvent;
  /** When its letter's removal was known to stand on the broker, microseconds. Infinity: never. */
  readonly removedAt: number;
}

/** What became of the dead letters of one group, by the ids of their messages. */
export interface Letters {
  /** Writes that were confirmed, by time. */
  readonly kept: ReadonlyMap<string, readonly LetterEvent[]>;
  readonly redrives: ReadonlyMap<string, readonly Redrive[]>;
  /** What the last complete listing had. Empty without one. */
  readonly listed: ReadonlyMap<string, readonly LetterEvent[]>;
  /** The last one. */
  readonly listing: ListingEvent | undefined;
}

/** The letters of the group, as processes saw them. */
export function lettersOf({ events }: History, group: string): Letters {
  const own = events.filter((event): event is LetterEvent => event.kind === 'letter' && event.group === group);
  const listing = events.findLast((event): event is ListingEvent => event.kind === 'listing' && event.group === group);
  const listed = own.filter(({ change, process }) => change === 'listed' && process === listing?.process);
  return {
    kept: grouped(
      own.filter(({ change }) => change === 'kept'),
      ({ id }) => id,
    ),
    redrives: redrivesOf(own),
    listed: grouped(listed, ({ id }) => id),
    listing,
  };
}

function redrivesOf(events: readonly LetterEvent[]): Map<string, Redrive[]> {
  const begun = new Map<string, Redrive & { removedAt: number }>();
  for (const event of events) {
    const name = JSON.stringify([event.process, event.id]);
    const open = begun.get(name);
    if (event.change === 'redriving' && open === undefined)
      begun.set(name, { process: event.process, begin: event, removedAt: Number.POSITIVE_INFINITY });
    if (event.change === 'removed' && open !== undefined) open.removedAt = Math.min(open.removedAt, event.t);
  }
  return grouped(begun.values(), ({ begin }) => begin.id);
}

function grouped<T>(items: Iterable<T>, idOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(idOf(item));
    if (group === undefined) groups.set(idOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
