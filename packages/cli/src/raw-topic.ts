import { codeOf, defineTopic } from '@anymq/core';
import { type Command, Option } from 'commander';
import { CliError, EXIT, failed, sentenceOf } from './errors.js';
import type { Messaging, Topic } from './messaging-port.js';

/** What a topic's definition says that its broker must agree with. */
export interface TopicFlags {
  readonly topic: string;
  readonly history: 'full' | 'none';
  readonly create?: boolean;
}

/** Gives a command the options that say which topic, and how your code defines it. */
export function aboutTopic(command: Command): Command {
  return command
    .requiredOption('--topic <topic>', 'name of the topic, as in defineTopic')
    .addOption(new Option('--history <kind>', 'as the topic is defined').choices(['full', 'none']).default('full'))
    .option('--create', 'create the topic where it is missing');
}

interface RawTopicOptions {
  readonly keyed: boolean;
  readonly contentType?: string;
}

const ANYTHING = { '~standard': { version: 1 as const, vendor: 'anymq', validate: (value: unknown) => ({ value }) } };

/** The topic with bodies as they are. */
export function rawTopic({ topic, history }: TopicFlags, { keyed, contentType = 'application/json' }: RawTopicOptions) {
  const copy = (body: Uint8Array): Uint8Array => Uint8Array.from(body);
  return defineTopic(topic, {
    schema: ANYTHING,
    codec: { contentType, encode: copy, decode: copy },
    history,
    // Never asked: whoever sends says the key.
    ...(keyed ? { key: () => '' } : {}),
  }) as Topic<Uint8Array, Uint8Array>;
}

/**
 * Sending to a topic, or receiving from it, creates it where it is missing, as this command defines it: after a misspelt name
 * that helps nobody. Its groups are asked for because only its own broker is then.
 */
export async function checkExists(messaging: Messaging, { topic, create }: TopicFlags): Promise<void> {
  if (create) return;
  try {
    await messaging.groups(topic);
  } catch (error) {
    // A broker that does not answer would be waited for once more. The rest the work itself meets, or not: listing groups may
    // need rights that it does not.
    if (codeOf(error) === 'UNAVAILABLE') throw error;
    if (codeOf(error) !== 'NOT_FOUND') return;
    throw failed(`${noTopic(topic)}, or give --create to create it.`, error);
  }
}

/** What was asked of a topic; core's words for one that is not there are for programmers. */
export const existing = <T>(asked: Promise<T>, topic: string): Promise<T> =>
  asked.catch((error) => {
    throw codeOf(error) === 'NOT_FOUND' ? failed(`${noTopic(topic)}.`, error) : error;
  });

const noTopic = (topic: string): string => `There is no topic '${topic}': see anymq topics for the names`;

/** What to change when the topic is defined otherwise than the options say; every other error as it is. */
export function explained(error: unknown, fix: string): unknown {
  if (codeOf(error) !== 'CONFLICT') return error;
  return new CliError(EXIT.usage, `${sentenceOf(error)} ${fix}`, error);
}
