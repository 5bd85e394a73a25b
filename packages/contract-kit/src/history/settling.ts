import type { CheckOptions } from './check.js';
import type { Call, GroupHistory } from './history.js';
import type { Letters } from './letters.js';

/** When nothing but time was missing for the settlement of a call, microseconds; infinity: never. */
export type Settleable = (call: Call) => number;

/** What is given up is through only when its letter is kept, everything else when its call has ended. */
export function settleableOf(group: GroupHistory, letters: Letters, placeOf: CheckOptions['placeOf']): Settleable {
  const through = (call: Call): number => throughAt(call, letters);
  if (placeOf === undefined) return through;
  const upTo = new Map<Call, number>();
  for (const places of placesOf(group, placeOf).values()) {
    let latest = 0;
    for (const calls of places) {
      // Whoever had it: it is through as soon as somebody is.
      latest = Math.max(latest, Math.min(...calls.map(through)));
      for (const call of calls) upTo.set(call, latest);
    }
  }
  return (call) => Math.max(through(call), upTo.get(call) ?? 0);
}

function throughAt({ id, process, begin, end }: Call, { kept }: Letters): number {
  if (end?.outcome !== 'rejected') return end?.t ?? Number.POSITIVE_INFINITY;
  const letter = kept.get(id)?.find((event) => event.process === process && event.t >= begin.t);
  return letter?.t ?? Number.POSITIVE_INFINITY;
}

/** By source, in the order of places: the calls of each. */
function placesOf({ calls }: GroupHistory, placeOf: NonNullable<CheckOptions['placeOf']>): Map<string, Call[][]> {
  const sources = new Map<string, Map<number, Call[]>>();
  for (const call of calls) {
    const { source, place } = placeOf(call.begin.position);
    const places = sources.get(source) ?? new Map<number, Call[]>();
    sources.set(source, places.set(place, [...(places.get(place) ?? []), call]));
  }
  return new Map(
    [...sources].map(([source, places]) => [source, [...places].sort(([a], [b]) => a - b).map(([, all]) => all)]),
  );
}
