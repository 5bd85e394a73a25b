import type { OutgoingRecord, ReadRecord, TopicSpec } from '../adapter/spi.js';
import type { Logger } from '../logger.js';

/**
 * What a message is on its way through core's own topics: body, headers, id and time are the record's own, and one more header
 * says the rest.
 */
export interface ParcelNote {
  readonly key?: string | undefined;
  readonly type: string;
  readonly contentType: string;
  /** Where it stood in its topic. */
  readonly position?: string | undefined;
  /** Handler calls of the group before. */
  readonly attempts?: number | undefined;
  /** When one failed first, milliseconds since the Unix epoch. */
  readonly firstFailed?: number | undefined;
  /** How often it was redriven. */
  readonly cycles?: number | undefined;
  /** Where it is to go, and when: while it waits in a delay line. */
  readonly delay?: DelayNote | undefined;
  /** It is no message: somebody wants one cancelled. */
  readonly cancel?: CancelNote | undefined;
}

/** What a delay line must know. */
export interface DelayNote {
  /** Names this one send: what a cancel token says. */
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly deliverAt: number;
  /** When it was sent: of what is due at the same time the first sent goes first. */
  readonly sentAt: number;
  /** When it entered the line that it is in. */
  readonly enteredAt: number;
  readonly to: TopicSpec;
  /** It arrives as a parcel, as inboxes want it; else as the message it is. */
  readonly asParcel: boolean;
}

/** Which send is to be cancelled. */
export interface CancelNote {
  readonly token: string;
  /** Names this wish, for its answer. */
  readonly request: string;
  readonly deliverAt: number;
}

/** A message without a topic. */
export type BareMessage = Pick<OutgoingRecord, 'id' | 'body' | 'headers' | 'time'>;

/** Reserved: no sender's header is called so. */
const HEADER = 'anymq-parcel';

/** @param lane the record's key in a topic that has keys */
export function pack(
  spec: TopicSpec,
  { id, body, headers, time }: BareMessage,
  note: ParcelNote,
  lane: string,
): OutgoingRecord {
  return {
    id,
    key: spec.keyed ? lane : undefined,
    body,
    headers: { ...headers, [HEADER]: JSON.stringify(note) },
    time,
    type: spec.type,
    contentType: spec.contentType,
  };
}

/** Undefined for what is no parcel: somebody else wrote into a topic of ours. */
export function unpack(record: ReadRecord): { readonly message: BareMessage; readonly note: ParcelNote } | undefined {
  const { [HEADER]: text, ...headers } = record.headers ?? {};
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text) as ParcelNote;
    const { id, body, time } = record;
    return { message: { id, body, headers: Object.keys(headers).length === 0 ? undefined : headers, time }, note };
  } catch {
    return undefined;
  }
}

/** Says that a record is no parcel: whoever reads it settles it and goes on. */
export function passOver(log: Logger, { name }: TopicSpec, { id, position }: ReadRecord): void {
  log.error(`Topic '${name}' is AnyMQ's own; what somebody else wrote there is passed over.`, { id, position });
}
