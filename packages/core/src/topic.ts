import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { TopicSpec } from './adapter/spi.js';
import { type Codec, json } from './codec.js';
import { invalidArgument } from './errors.js';
import { checkTopicName } from './names.js';

/** What `defineTopic` takes. */
export interface TopicOptions<Schema extends StandardSchemaV1> {
  /** Any Standard Schema validator (zod, valibot, arktype...). Checked before a send and again on receipt. */
  readonly schema: Schema;
  /**
   * The ordering key of a value, 1-256 bytes: messages with the same key are handled one after another, in send order. A
   * topic has a key for every message or for none. @default none
   */
  readonly key?: (value: StandardSchemaV1.InferOutput<Schema>) => string;
  /** How values become bytes. @default json() */
  readonly codec?: Codec<never>;
  /** Kind of the messages, for readers of other systems. @default the topic's name */
  readonly type?: string;
  /**
   * `full`: a group that is new can begin at the earliest message, and a topic without a group loses nothing. `none`: only
   * groups that exist get the messages; sends are cheaper on RabbitMQ, where a send that no group gets is `UNROUTABLE`.
   * @default 'full'
   */
  readonly history?: 'full' | 'none';
  /** `cloudevents`: write the CloudEvents 1.0 attributes with every message. Both are understood on receipt. @default 'lean' */
  readonly envelope?: 'lean' | 'cloudevents';
}

declare const types: unique symbol;

/** A named stream of messages of one type. `In` is what `send` takes, `Out` what handlers get. */
export interface Topic<In = unknown, Out = unknown> {
  readonly name: string;
  /** Internal: what core and adapters need to know. */
  readonly definition: TopicDefinition;
  readonly [types]?: { readonly input: (value: In) => void; readonly output: Out };
}

/** What core and adapters need to know of a topic. */
export interface TopicDefinition {
  readonly schema: StandardSchemaV1;
  readonly key: ((value: never) => string) | undefined;
  readonly codec: Codec;
  readonly spec: TopicSpec;
}

const HISTORY = ['full', 'none'];
const ENVELOPE = ['lean', 'cloudevents'];

/**
 * Defines a topic, once, for senders and receivers alike. No I/O. Throws `INVALID_ARGUMENT`.
 *
 * @param name 1-100 letters and digits, in words separated by single dots or hyphens
 */
export function defineTopic<Schema extends StandardSchemaV1>(
  name: string,
  options: TopicOptions<Schema>,
): Topic<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>> {
  checkTopicName(name);
  checkOptions(name, options);
  const { schema, key, codec = json(), type = name, history = 'full', envelope = 'lean' } = options;
  const spec: TopicSpec = { name, keyed: key !== undefined, history, envelope, type, contentType: codec.contentType };
  return Object.freeze({
    name,
    definition: Object.freeze({ schema, key, codec: codec as Codec, spec: Object.freeze(spec) }),
  });
}

function checkOptions<Schema extends StandardSchemaV1>(name: string, options: TopicOptions<Schema>): void {
  const fail = (problem: string): never => {
    throw invalidArgument(`Topic '${name}': ${problem}`);
  };
  if (typeof options?.schema?.['~standard']?.validate !== 'function') {
    fail('schema must be a Standard Schema validator, for instance z.object({...}) of zod.');
  }
  if (options.key !== undefined && typeof options.key !== 'function')
    fail('key must be a function from a value to a string.');
  if (options.history !== undefined && !HISTORY.includes(options.history))
    fail(`history must be one of ${HISTORY.join(', ')}.`);
  if (options.envelope !== undefined && !ENVELOPE.includes(options.envelope))
    fail(`envelope must be one of ${ENVELOPE.join(', ')}.`);
  if (options.type !== undefined && !/^[\x21-\x7e]{1,200}$/.test(options.type))
    fail('type must be 1 to 200 printable ASCII characters.');
}

/** What core needs to know of a topic. Throws `INVALID_ARGUMENT` for anything that `defineTopic` did not make. */
export function definitionOf(topic: Topic<never, unknown> | Topic<unknown, unknown>): TopicDefinition {
  const definition = (topic as Topic | undefined)?.definition;
  if (definition?.spec === undefined) throw invalidArgument('The topic must come from defineTopic().');
  return definition;
}
