import type { Message, Options } from '../client.js';
import { MARKER } from '../codec.js';

/**
 * Messages that the adapter puts among a topic's own while it sets up a late group, or begins to read what comes.
 *
 * - `before`, `after`: in the topic's stream, around the binding of the group's queues;
 * - `gate`: first in a live queue; there is a `past` queue to be handled before what follows;
 * - `end`: last in a `past` queue; the body lists the ids that stand in the live queue as well;
 * - `live`: in a live queue; behind it nothing of that list can come;
 * - `tail`: in the topic's stream, where a reader of what comes begins.
 */
export type MarkerKind = 'before' | 'after' | 'gate' | 'end' | 'live' | 'tail';

const KIND = 'anymq-marker';

/** @param id tells the markers of one setting-up from those of others */
export function markerProperties(kind: MarkerKind, id: string): Options.Publish {
  return { deliveryMode: 2, mandatory: true, messageId: id, type: MARKER, headers: { [KIND]: kind } };
}

/** Undefined for every message that is no marker. @param control markers come through no other exchange */
export function markerOf({ fields, properties }: Message, control: string): MarkerKind | undefined {
  if (properties.type !== MARKER || fields.exchange !== control) return undefined;
  return properties.headers?.[KIND] as MarkerKind | undefined;
}
