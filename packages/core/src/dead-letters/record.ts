/** Letters as records of their ledger: parcels, with the cause in headers of their own. `docs/wire-format.md`. */
import type { OutgoingRecord, ReadRecord, TopicSpec } from '../adapter/spi.js';
import { type BareMessage, type ParcelNote, pack, unpack } from '../system/parcel.js';
import type { DeadLetter } from './contract.js';

/** Both are reserved: no sender's header begins like these. The first begins what a letter says of its cause. */
export const FACT = 'anymq-dead-letter-';
const REMOVED = 'anymq-removed';

const NOTHING = new Uint8Array(0);

/** Whose letters a ledger holds. */
export interface Origin {
  readonly topic: string;
  readonly group: string;
}

/** From here on there is no letter with this id. */
export function removalRecord(spec: TopicSpec, id: string, time: number): OutgoingRecord {
  const { type, contentType } = spec;
  return pack(spec, { id, body: NOTHING, headers: { [REMOVED]: '1' }, time }, { type, contentType }, id);
}

export const isRemoval = (record: ReadRecord): boolean => record.headers?.[REMOVED] !== undefined;

/** What the letter says where it does not lack the fact: large headers leave no room for all of them. */
export function letterFrom(record: ReadRecord, origin: Origin): DeadLetter | undefined {
  const parcel = unpack(record);
  if (parcel === undefined) return undefined;
  const { own, facts } = split(parcel.message.headers);
  const { key, type, contentType, cycles = 0 } = parcel.note;
  return {
    id: record.id,
    topic: facts.topic ?? origin.topic,
    group: facts.group ?? origin.group,
    messageId: facts.id ?? record.id,
    key,
    type,
    contentType,
    time: record.time,
    headers: own,
    // A copy: what the adapter gave may be a view of all that came with it, which would live as long as the letter.
    body: new Uint8Array(record.body),
    position: facts.position ?? parcel.note.position,
    ...historyOf(facts, parcel.note, record.time),
    cause: { code: facts.code, error: facts.error, message: facts.message, stack: facts.stack },
    cycles,
  };
}

/** The record that {@link letterFrom} reads as this letter. */
export function letterRecord(spec: TopicSpec, letter: DeadLetter): OutgoingRecord {
  const { id, key, type, contentType, cycles, body, time } = letter;
  const headers = { ...letter.headers, ...factsOf(letter) };
  return pack(spec, { id, body, headers, time }, { key, type, contentType, cycles }, id);
}

/** The message that the letter is about, as its group gets it again. */
export function redriven(letter: DeadLetter): { readonly message: BareMessage; readonly note: ParcelNote } {
  const { messageId, key, type, contentType, position, cycles, body, headers, time } = letter;
  return {
    message: { id: messageId, body, headers, time },
    note: { key, type, contentType, position, cycles: cycles + 1, attempts: 0 },
  };
}

type Headers = Readonly<Record<string, string>>;
type Facts = Readonly<Record<string, string | undefined>>;

function split(headers: Headers | undefined): { readonly own: Headers; readonly facts: Facts } {
  const own: [string, string][] = [];
  const facts: [string, string][] = [];
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (name.startsWith(FACT)) facts.push([name.slice(FACT.length), value]);
    else own.push([name, value]);
  }
  return { own: Object.fromEntries(own), facts: Object.fromEntries(facts) };
}

function historyOf(
  facts: Facts,
  note: ParcelNote,
  time: number,
): Pick<DeadLetter, 'attempts' | 'firstFailedAt' | 'lastFailedAt'> {
  const first = timeOf(facts['first-failed']) ?? note.firstFailed;
  const last = timeOf(facts['last-failed']);
  return {
    attempts: facts.attempts === undefined ? (note.attempts ?? 0) : Number(facts.attempts),
    firstFailedAt: first ?? last ?? time,
    lastFailedAt: last ?? first ?? time,
  };
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function factsOf(letter: DeadLetter): Record<string, string> {
  const { topic, group, position, messageId, attempts, firstFailedAt, lastFailedAt, cause } = letter;
  const facts = {
    topic,
    group,
    position,
    id: messageId,
    attempts: String(attempts),
    'first-failed': new Date(firstFailedAt).toISOString(),
    'last-failed': new Date(lastFailedAt).toISOString(),
    ...cause,
  };
  const known = Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [FACT + name, value]));
}
