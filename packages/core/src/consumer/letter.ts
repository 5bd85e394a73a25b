import { createHash } from 'node:crypto';
import type { OutgoingRecord, TopicSpec } from '../adapter/spi.js';
import { FACT } from '../dead-letters/record.js';
import { messageOf } from '../errors.js';
import { headersSize } from '../producer/prepare.js';
import { pack } from '../system/parcel.js';
import type { TopicDefinition } from '../topic.js';
import { ParcelRecord } from './parcel-record.js';
import type { Work } from './work.js';

/** Who gives up, and where to. */
export interface LetterContext {
  readonly namespace: string;
  readonly topic: TopicDefinition;
  readonly group: string;
  /** Of the dead-letter topic's broker. */
  readonly maxHeadersBytes: number;
}

const MAX_MESSAGE = 500;
const MAX_NAME = 100;
/** What is left out, in this order, where the headers would be too large: people's first, then what the log knows too. */
const LEFT_OUT = [
  'message',
  'stack',
  'position',
  'first-failed',
  'last-failed',
  'error',
  'code',
  'attempts',
  'group',
  'topic',
  'id',
];

/** A topic for what `source` gives up, as adapters see it. */
export function letterTopic(source: TopicDefinition, name: string): TopicDefinition {
  const { keyed } = source.spec;
  // These two say what is not written for a record. The letter's are those of its message: they must be written, so they
  // differ from what the reader's own definition of the topic would say.
  const defaults = { type: name, contentType: 'application/octet-stream' };
  return { ...source, spec: { name, keyed, history: 'full', envelope: 'lean', ...defaults } };
}

/** The message as it was, with the cause in its headers. Its id is the same however often it is given up. */
export function letterOf(context: LetterContext, work: Work, error: unknown, now: number): OutgoingRecord {
  const { record } = work;
  const { spec } = context.topic;
  return {
    id: letterId(context, record.id, cyclesOf(work)),
    // A plain producer may have left it out, and a keyed topic takes no message without one.
    key: spec.keyed ? (record.key ?? record.id) : undefined,
    body: record.body,
    headers: headersOf(context, work, error, now),
    time: record.time,
    type: record.type ?? spec.type,
    contentType: record.contentType ?? spec.contentType,
  };
}

/** The message in the group's own dead letters, where nothing needs to be left out. */
export function ledgerRecord(
  context: LetterContext,
  spec: TopicSpec,
  work: Work,
  error: unknown,
  now: number,
): OutgoingRecord {
  const { record } = work;
  const cycles = cyclesOf(work);
  const id = letterId(context, record.id, cycles);
  const headers = { ...ownHeaders(work), ...causeOf(context, work, error, now) };
  const { type = context.topic.spec.type, contentType = context.topic.spec.contentType } = record;
  const note = { key: record.key, type, contentType, cycles };
  return pack(spec, { id, body: record.body, headers, time: record.time }, note, id);
}

/** How often the message was redriven. */
const cyclesOf = ({ record }: Work): number => (record instanceof ParcelRecord ? (record.note.cycles ?? 0) : 0);

/** Each time that a message is given up is another letter: a removal that comes late must not take a newer one. */
function letterId({ namespace, topic, group }: LetterContext, id: string, cycles: number): string {
  const origin = [namespace, topic.spec.name, group, id, ...(cycles === 0 ? [] : [cycles])].join('\0');
  return `dl-${sha256(origin).slice(0, 32)}`;
}

function headersOf(context: LetterContext, work: Work, error: unknown, now: number): Record<string, string> {
  const own = ownHeaders(work);
  const cause = causeOf(context, work, error, now);
  const headers = (): Record<string, string> => ({ ...own, ...cause });
  for (const name of LEFT_OUT) {
    if (headersSize(headers()) <= context.maxHeadersBytes) break;
    delete cause[FACT + name];
  }
  return headers();
}

/** What an earlier letter says is not of this one: a group may give up what it read from a dead-letter topic. */
function ownHeaders({ record }: Work): Record<string, string> {
  return Object.fromEntries(Object.entries(record.headers ?? {}).filter(([name]) => !name.startsWith(FACT)));
}

function causeOf({ topic, group }: LetterContext, work: Work, error: unknown, now: number): Record<string, string> {
  const { record, attempts, firstFailed } = work;
  const facts = {
    topic: topic.spec.name,
    group,
    position: record.position,
    id: record.id,
    attempts: String(attempts),
    'first-failed': new Date(firstFailed ?? now).toISOString(),
    'last-failed': new Date(now).toISOString(),
    ...errorFacts(error),
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [FACT + name, value.toWellFormed()]));
}

function errorFacts(error: unknown): Record<string, string> {
  if (error === undefined) return {};
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  return {
    ...codeFact(error),
    error: String(name).slice(0, MAX_NAME),
    message: textOf(error).slice(0, MAX_MESSAGE),
    ...(stack === undefined ? {} : { stack: sha256(String(stack)).slice(0, 16) }),
  };
}

/** A `MessagingError`'s, or the one that many libraries give their errors, like `ECONNREFUSED`. */
function codeFact(error: unknown): Record<string, string> {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? { code: code.slice(0, MAX_NAME) } : {};
}

/** Anything can be thrown, also what has no text. */
function textOf(error: unknown): string {
  try {
    return String(messageOf(error));
  } catch {
    return typeof error;
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
