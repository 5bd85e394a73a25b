/**
 * The one rule for names, the same on every broker. It is the part that Kafka, RabbitMQ and RocketMQ all allow, so that
 * each adapter can map names injectively and readably: no underscore, because Kafka treats `a.b` and `a_b` as colliding
 * and RocketMQ, which has no dot, needs a free character to stand for it.
 */
import { invalidArgument } from './errors.js';
import { SYSTEM } from './system/topics.js';

const NAME = /^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$/;
const NAMESPACE = /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$/;
const HEADER_NAME = /^[A-Za-z0-9._-]{1,128}$/;
/** What the envelope uses, and the one name that an object literal cannot hold. */
const RESERVED_HEADER = /^(?:__proto__$|anymq-|ce[_-]|cloudevents|content-type$)/i;
const ID = /^[\x21-\x7e]{1,128}$/;

/** RocketMQ allows 127 characters for a topic: 100 leave room for the namespace. */
const MAX_TOPIC_LENGTH = 100;
const MAX_GROUP_LENGTH = 64;
const MAX_NAMESPACE_LENGTH = 24;
const MAX_KEY_BYTES = 256;

const NAME_RULE = 'letters and digits, in words separated by single dots or hyphens';

function checkName(what: string, name: unknown, maxLength: number): string {
  if (typeof name !== 'string') throw invalidArgument(`${what} must be a string, found ${typeof name}.`);
  if (name.length === 0) throw invalidArgument(`${what} is empty. Use ${NAME_RULE}.`);
  if (name.length > maxLength) {
    throw invalidArgument(
      `${what} '${name.slice(0, 40)}...' has ${name.length} characters, at most ${maxLength} are allowed.`,
    );
  }
  if (!NAME.test(name))
    throw invalidArgument(`${what} '${name}' is not allowed. Use ${NAME_RULE}, like 'orders.paid'.`);
  return name;
}

/**
 * 1-100 letters and digits in words separated by `.` or `-`; what begins with `anymq.`, in whatever case, is reserved for
 * AnyMQ's own topics. Throws `INVALID_ARGUMENT`.
 */
export function checkTopicName(given: unknown): string {
  const name = checkName('Topic name', given, MAX_TOPIC_LENGTH);
  if (!name.toLowerCase().startsWith(SYSTEM)) return name;
  throw invalidArgument(
    `Topic name '${name}' is reserved: '${SYSTEM}' begins the names of AnyMQ's own topics, which keep inboxes, delays and dead letters. Choose another beginning.`,
  );
}

/** 1-64 letters and digits in words separated by `.` or `-`. Throws `INVALID_ARGUMENT`. */
export const checkGroupName = (name: unknown): string => checkName('Group name', name, MAX_GROUP_LENGTH);

export const isNamespace = (name: string): boolean => name.length <= MAX_NAMESPACE_LENGTH && NAMESPACE.test(name);

/** 1-256 bytes of well-formed Unicode. Throws `INVALID_ARGUMENT`. */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string')
    throw invalidArgument(`Key must be a string, found ${key === null ? 'null' : typeof key}.`);
  if (key.length === 0)
    throw invalidArgument('Key is empty. A keyed topic needs a key of 1 to 256 bytes for every message.');
  // A UTF-16 unit is at most 3 bytes of UTF-8: short keys need no counting.
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw invalidArgument(
      `Key '${key.slice(0, 40)}...' has ${Buffer.byteLength(key)} bytes, at most ${MAX_KEY_BYTES} are allowed.`,
    );
  }
  if (!key.isWellFormed())
    throw invalidArgument('Key has half a surrogate pair, which no broker can store. Use well-formed Unicode.');
  return key;
}

/** 1-128 printable ASCII characters without space. Throws `INVALID_ARGUMENT`. */
export function checkId(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  throw invalidArgument(
    `Message id ${JSON.stringify(id)} is not allowed. Use 1 to 128 printable ASCII characters without space.`,
  );
}

/**
 * Names: 1-128 ASCII letters, digits, `.`, `-`, `_`, not reserved; values: well-formed Unicode strings, which may be empty.
 * Returns undefined when there are none, else a copy. Throws `INVALID_ARGUMENT`.
 */
export function checkHeaders(
  headers: Readonly<Record<string, string>> | undefined,
): Record<string, string> | undefined {
  if (headers === undefined) return undefined;
  const entries = Object.entries(headers);
  if (entries.length === 0) return undefined;
  for (const [name, value] of entries) checkHeader(name, value);
  return Object.fromEntries(entries);
}

function checkHeader(name: string, value: unknown): void {
  if (!HEADER_NAME.test(name)) {
    throw invalidArgument(
      `Header name ${JSON.stringify(name)} is not allowed. Use 1 to 128 ASCII letters, digits, '.', '-' or '_'.`,
    );
  }
  if (RESERVED_HEADER.test(name)) {
    throw invalidArgument(`Header name '${name}' is reserved for message attributes. Choose another name.`);
  }
  if (typeof value !== 'string') {
    throw invalidArgument(
      `Header '${name}' must be a string, found ${value === null ? 'null' : typeof value}. Convert it yourself.`,
    );
  }
  if (!value.isWellFormed())
    throw invalidArgument(`Header '${name}' has half a surrogate pair, which no broker can store.`);
}
