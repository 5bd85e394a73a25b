/** Markers show where a ledger ended when they were sent: no broker says that reliably, in one way. */
import type { OutgoingRecord, ReadRecord, TopicSpec } from '../adapter/spi.js';

/** Reserved: no sender's header is called so. */
const MARKER = 'anymq-marker';
/** The key of all markers: a ledger keeps one of them. Nothing else in a ledger has this key. */
export const MARKER_KEY = 'marker';

const NOTHING = new Uint8Array(0);

/** What was written before it was sent stands before it. @param by the uuid of who sends it, who numbers what it sends */
export function markerRecord(spec: TopicSpec, by: string, number: number, time: number): OutgoingRecord {
  const { type, contentType } = spec;
  const id = `${by}.${number}`;
  return { id, key: MARKER_KEY, body: NOTHING, headers: { [MARKER]: by }, time, type, contentType };
}

/** Undefined for what is no marker. */
export function markerOf({ id, headers }: ReadRecord): { readonly by: string; readonly number: number } | undefined {
  const by = headers?.[MARKER];
  return by === undefined ? undefined : { by, number: Number(id.slice(by.length + 1)) };
}
