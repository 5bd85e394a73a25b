import { messageOf, type TopicSpec } from '@anymq/core/adapter';
import type { Channel } from './client.js';
import { fault, isConflict } from './errors.js';
import { exists, withChannel } from './internal/channels.js';
import type { Link } from './internal/link.js';
import { entryOf, shapeOf, type TopicNames, type TopicShape, topicNames } from './names.js';
import type { ParsedOptions } from './options.js';

/** Retention works by whole segments: small ones let it bite on small topics. */
const SEGMENT_BYTES = 20_000_000;

/** Routing key, on the control exchange, of the topic's stream. */
export const HISTORY_KEY = 'history';

/** Redeliveries that no handler saw count too, so the broker should never give a message up: RabbitMQ 4 would after 20. */
const QUORUM = Object.freeze({
  'x-queue-type': 'quorum',
  'x-single-active-consumer': true,
  'x-delivery-limit': 1_000_000,
});

/** A topic as it stands on the broker. */
export interface DeclaredTopic {
  readonly spec: TopicSpec;
  readonly names: TopicNames;
  readonly buckets: number;
}

/** Declares topics, each once per connection. */
export class Topology {
  readonly #link: Link;
  readonly #namespace: string;
  readonly #options: ParsedOptions;
  readonly #noted: (topic: DeclaredTopic) => void;
  readonly #declared = new Map<string, Promise<DeclaredTopic>>();

  /** @param noted hears of every topic that stands */
  constructor(link: Link, namespace: string, options: ParsedOptions, noted: (topic: DeclaredTopic) => void) {
    this.#link = link;
    this.#namespace = namespace;
    this.#options = options;
    this.#noted = noted;
  }

  /** Creates what is missing. Rejects with `CONFLICT` when it exists with other settings. */
  topic(spec: TopicSpec): Promise<DeclaredTopic> {
    const key = `${spec.name} ${spec.history} ${spec.keyed} ${spec.oneLane} ${spec.retention}`;
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const declaring = this.#declare(spec).catch((error) => {
      this.#declared.delete(key);
      throw error;
    });
    this.#declared.set(key, declaring);
    return declaring;
  }

  /** What was declared may be gone: look again when it is needed next. */
  forget(): void {
    this.#declared.clear();
  }

  /** Whether somebody has created it. Declares nothing, keeps nothing. */
  exists(topic: string): Promise<boolean> {
    return exists(this.#link, (channel) => channel.checkExchange(entryOf(this.#namespace, topic)));
  }

  async #declare(spec: TopicSpec): Promise<DeclaredTopic> {
    const buckets = spec.oneLane === true ? 1 : this.#options.buckets;
    const shape: TopicShape = { buckets, history: spec.history, keyed: spec.keyed };
    const names = topicNames(this.#namespace, spec.name, shape);
    try {
      if (this.#options.topology === 'check') await this.#check(spec.name, names, shape);
      else await withChannel(this.#link, (channel) => this.#declareOn(channel, spec, names, shape));
    } catch (error) {
      throw isConflict(error) ? conflict(spec.name, shape, error) : error;
    }
    const topic = { spec, names, buckets };
    this.#noted(topic);
    return topic;
  }

  async #declareOn(channel: Channel, spec: TopicSpec, names: TopicNames, shape: TopicShape): Promise<void> {
    // First, because it is compared: the shape stands in the name of the alternate exchange.
    await channel.assertExchange(names.entry, 'direct', { durable: true, alternateExchange: names.rest });
    await channel.assertExchange(names.rest, 'fanout', { durable: true });
    await channel.assertExchange(names.control, 'direct', { durable: true });
    if (shape.history === 'none') return;
    await channel.assertQueue(names.history, { durable: true, arguments: this.#historyArguments(spec) });
    await channel.bindQueue(names.history, names.control, HISTORY_KEY);
    await bindAll(channel, names, [...Array(shape.buckets).keys()], () => names.history);
  }

  /** Passive: the broker asks for no right. The shape stands in the name of the `rest` exchange. */
  async #check(topic: string, { entry, rest, control, history }: TopicNames, shape: TopicShape): Promise<void> {
    const thereIs = (exchange: string): Promise<boolean> =>
      exists(this.#link, (channel) => channel.checkExchange(exchange));
    if (!(await thereIs(entry))) throw missing(`Topic '${topic}'`);
    if (!(await thereIs(rest))) throw conflict(topic, shape, new Error(`it has no exchange '${rest}'`));
    const whole =
      (await thereIs(control)) &&
      (shape.history === 'none' || (await exists(this.#link, (channel) => channel.checkQueue(history))));
    if (!whole) throw missing(`A part of topic '${topic}'`);
  }

  #historyArguments({ retention }: TopicSpec): Record<string, unknown> {
    // A stream cannot tell the last of a key: all of them stay.
    if (retention === 'last-of-key') return streamArguments(SEGMENT_BYTES, {});
    const { historyMaxAgeDays, historyMaxBytes } = this.#options;
    if (historyMaxBytes === undefined) return streamArguments(SEGMENT_BYTES, { 'x-max-age': `${historyMaxAgeDays}D` });
    const segment = Math.min(SEGMENT_BYTES, Math.ceil(historyMaxBytes / 4));
    return streamArguments(segment, { 'x-max-age': `${historyMaxAgeDays}D`, 'x-max-length-bytes': historyMaxBytes });
  }
}

/**
 * Binds the queues of `buckets` to a topic. The first bucket also gets what plain clients publish with a routing key that is
 * no bucket.
 */
export async function bindAll(
  channel: Channel,
  names: TopicNames,
  buckets: readonly number[],
  queueOf: (bucket: number) => string,
): Promise<void> {
  for (const bucket of buckets) {
    await channel.bindQueue(queueOf(bucket), names.entry, String(bucket));
    if (bucket === 0) await channel.bindQueue(queueOf(bucket), names.rest, '');
  }
}

export interface QueueOptions {
  /** Without a consumer for so long it is deleted by the broker. @default never */
  readonly expiresMs?: number;
  /** Exchange and routing key for what the broker gives up, as somebody's policy may make it. @default nowhere */
  readonly givenUp?: { readonly exchange: string; readonly key: string };
}

/** A queue of which one consumer at a time gets messages, the others wait in line. */
export async function declareQueue(channel: Channel, name: string, options: QueueOptions = {}): Promise<void> {
  const { expiresMs, givenUp } = options;
  const expiry = expiresMs === undefined ? {} : { 'x-expires': expiresMs };
  const further = givenUp === undefined ? {} : passedOn(givenUp);
  await channel.assertQueue(name, { durable: true, arguments: { ...QUORUM, ...expiry, ...further } });
}

/**
 * The broker keeps what it gives up until the other queue has it. That it does only for queues which refuse what they have no room
 * for; without it what a crash of the broker meets on the way is lost, and what a limit of length drops is nowhere.
 */
const passedOn = ({ exchange, key }: NonNullable<QueueOptions['givenUp']>): Record<string, unknown> => ({
  'x-dead-letter-exchange': exchange,
  'x-dead-letter-routing-key': key,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});

export async function declareStream(
  channel: Channel,
  name: string,
  segmentBytes: number,
  retention: Readonly<Record<string, unknown>>,
): Promise<void> {
  await channel.assertQueue(name, { durable: true, arguments: streamArguments(segmentBytes, retention) });
}

function streamArguments(segmentBytes: number, retention: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { 'x-queue-type': 'stream', 'x-stream-max-segment-size-bytes': segmentBytes, ...retention };
}

/** @param what begins a sentence */
export function missing(what: string): Error {
  return fault('NOT_FOUND', `${what} does not exist on RabbitMQ, and option topology: 'check' creates none.`);
}

const describe = ({ buckets, history, keyed }: TopicShape): string =>
  `${buckets} buckets, history '${history}' and ${keyed ? 'keys' : 'no keys'}`;

function conflict(topic: string, asked: TopicShape, error: unknown): Error {
  const [received, current] = [...messageOf(error).matchAll(/'([^']*:rest-\d+-(?:full|none)-(?:keyed|free))'/g)].map(
    (match) => match[1],
  );
  const existing = current === undefined || received === undefined ? undefined : shapeOf(current);
  const what =
    existing === undefined ? messageOf(error) : `it has ${describe(existing)}, asked for were ${describe(asked)}`;
  const fix = 'Use the same settings everywhere, or another topic name';
  return fault('CONFLICT', `Topic '${topic}' exists on RabbitMQ with other settings: ${what}. ${fix}.`, error);
}
