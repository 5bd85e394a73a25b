/**
 * The wire format that all adapters share (`docs/wire-format.md`). Each puts what its broker has a native field for there,
 * and the rest, only where it differs from the topic's default, into headers with these names.
 */
import type { OutgoingRecord, TopicSpec } from './spi.js';

/** Header names of the lean form. */
export const LEAN = Object.freeze({
  id: 'anymq-id',
  key: 'anymq-key',
  type: 'anymq-type',
  time: 'anymq-time',
  contentType: 'content-type',
});

/** What a wire message says about itself, whichever form it has. */
export interface WireAttributes {
  id?: string;
  key?: string;
  type?: string;
  /** Milliseconds since the Unix epoch. */
  time?: number;
  contentType?: string;
}

/**
 * CloudEvents 1.0 attributes of a record, without any prefix and without `datacontenttype` (binary mode has a content-type
 * field for it). The key is the `partitionkey` extension.
 */
export function cloudEventsAttributes(
  record: OutgoingRecord,
  topic: TopicSpec,
  namespace: string,
): Record<string, string> {
  return {
    specversion: '1.0',
    id: record.id,
    source: `/${namespace}/${topic.name}`,
    type: record.type,
    time: new Date(record.time).toISOString(),
    ...(record.key === undefined ? {} : { partitionkey: record.key }),
  };
}

/** A message's attributes, and what remains as the sender's own headers (undefined when nothing does). */
export interface SplitHeaders {
  readonly attributes: WireAttributes;
  readonly headers: Record<string, string> | undefined;
}

const FROM_LEAN: ReadonlyMap<string, keyof WireAttributes> = new Map(
  Object.entries(LEAN).map(([attribute, header]) => [header, attribute as keyof WireAttributes]),
);
const FROM_CLOUDEVENTS: ReadonlyMap<string, keyof WireAttributes> = new Map([
  ['id', 'id'],
  ['type', 'type'],
  ['time', 'time'],
  ['partitionkey', 'key'],
]);

/**
 * Separates a wire message's attributes from its headers. Understands the lean form, and CloudEvents attributes that begin
 * with `prefix` (`ce_`, `cloudEvents:`, `CE_`); other CloudEvents attributes are dropped from the headers, they carry
 * nothing of the sender's.
 */
export function splitHeaders(raw: Readonly<Record<string, string>>, prefix: string): SplitHeaders {
  const attributes: WireAttributes = {};
  let headers: Record<string, string> | undefined;
  for (const name in raw) {
    const value = raw[name] as string;
    const cloudEvent = name.startsWith(prefix);
    const attribute = cloudEvent ? FROM_CLOUDEVENTS.get(name.slice(prefix.length)) : FROM_LEAN.get(name);
    if (attribute !== undefined) setAttribute(attributes, attribute, value);
    else if (!cloudEvent) {
      headers ??= {};
      headers[name] = value;
    }
  }
  return { attributes, headers };
}

function setAttribute(attributes: WireAttributes, name: keyof WireAttributes, value: string): void {
  if (name !== 'time') {
    attributes[name] = value;
    return;
  }
  const time = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isFinite(time)) attributes.time = time;
}
