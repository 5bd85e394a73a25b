import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf } from '@anymq/core';
import { type Command, Option } from 'commander';
import { orAborted } from '../abortable.js';
import { collect, header, integerFrom } from '../arguments.js';
import { failed, sentenceOf, wrongUsage } from '../errors.js';
import { type Io, print } from '../io.js';
import { bytesOf } from '../lines.js';
import type { Receipt } from '../messaging-port.js';
import { aboutTopic, checkExists, explained, rawTopic, type TopicFlags } from '../raw-topic.js';
import { type Context, type Session, work } from '../session.js';

interface Flags extends TopicFlags {
  readonly key?: string;
  readonly header?: readonly (readonly [string, string])[];
  readonly id?: string;
  readonly type?: string;
  readonly contentType: string;
  readonly file?: string;
  readonly delayMs?: number;
}

const MAX_DELAY_MS = 365 * 24 * 3_600_000;
const FIX =
  'Define it here as your code does: a keyed topic needs --key, one without keys must have none, and one without history needs --history none.';

/** `anymq publish`. */
export function publish(context: Context, program: Command): void {
  const command = aboutTopic(
    program
      .command('publish')
      .description('Send one message, its body as it is. Done means that the broker has stored it durably.')
      .argument('[value]', 'the body (default: standard input)'),
  )
    .option('--key <key>', 'the ordering key; a keyed topic needs one')
    .addOption(new Option('--header <name=value>', 'a header; may be repeated').argParser(collect(header)))
    .option('--id <id>', 'the id of the message (default: a random one)')
    .option('--type <type>', "kind of the message (default: the topic's)")
    .option('--content-type <type>', "as the topic's codec has it", 'application/json')
    .option('--file <file>', 'take the body from a file')
    .option(
      '--delay-ms <number>',
      'deliver it so many milliseconds from now, never earlier',
      integerFrom(0, MAX_DELAY_MS),
    )
    .addHelpText(
      'after',
      `
Examples:
  anymq publish --topic orders.paid --key o-1 '{"orderId":"o-1","amount":9.5}'
  anymq publish --topic orders.paid --key o-1 --header tenant=acme --file order.json
  echo hello | anymq publish --topic notes --content-type text/plain --delay-ms 60000

The topic must exist, and be defined here as in your code: --key on keyed topics and only there, --history none where
it keeps no history. The body is not held against your schema; it must be JSON unless --content-type says otherwise.
After an unknown outcome repeat it with the id that the error names: consumers that deduplicate see one message.`,
    );
  work<Flags>(context, command, run, check);
}

function check({ file }: Flags, [value]: readonly string[], io: Io): void {
  if (value !== undefined && file !== undefined)
    throw wrongUsage('Give the body as an argument or with --file, not both.');
  if (file !== undefined && !existsSync(file)) throw wrongUsage(`There is no file ${file}.`);
  if (value === undefined && file === undefined && io.stdinIsTTY)
    throw wrongUsage('Give the body as an argument, with --file, or pipe it in.');
}

async function run({ io, messaging }: Session, flags: Flags & { readonly json?: boolean }, [value]: readonly string[]) {
  const body = await orAborted(bodyOf(io, flags, value), io.interrupted);
  checkBody(body, flags.contentType);
  const topic = rawTopic(flags, { keyed: flags.key !== undefined, contentType: flags.contentType });
  await orAborted(checkExists(messaging, flags), io.interrupted);
  const { id = randomUUID() } = flags;
  const options = { id, ...optionsOf(flags), signal: io.interrupted };
  const receipt = await messaging
    .producer()
    .send(topic, body, options)
    .catch((error) => {
      throw failure(error, id);
    });
  await print(io, flags.json ? JSON.stringify(receiptJson(receipt)) : sentence(receipt));
}

async function bodyOf(io: Io, { file }: Flags, value: string | undefined): Promise<Uint8Array> {
  if (value !== undefined) return Buffer.from(value);
  if (file === undefined) return bytesOf(io.stdin);
  return readFile(file).catch((error) => {
    throw wrongUsage(`Cannot read ${file}: ${sentenceOf(error)}.`, error);
  });
}

/** A consumer of the topic could not read it: better said now than found among the dead letters. */
function checkBody(body: Uint8Array, contentType: string): void {
  if (!/^application\/(?:[^;]+\+)?json\b/i.test(contentType)) return;
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw wrongUsage(
      `The body is no ${contentType} (${sentenceOf(error)}): say with --content-type what it is.`,
      error,
    );
  }
}

function optionsOf({ key, header: headers, type, delayMs }: Flags) {
  return {
    ...(key === undefined ? {} : { key }),
    ...(headers === undefined ? {} : { headers: Object.fromEntries(headers) }),
    ...(type === undefined ? {} : { type }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

function failure(error: unknown, id: string): unknown {
  if (codeOf(error) !== 'INDETERMINATE') return explained(error, FIX);
  return failed(`${sentenceOf(error)} Repeat it with --id ${id}.`, error);
}

const receiptJson = ({ id, topic, position, time }: Receipt) => ({
  id,
  topic,
  position,
  time: new Date(time).toISOString(),
});

const sentence = ({ id, topic, position }: Receipt): string =>
  `Published ${id} to ${topic}${position === undefined ? '' : ` at ${position}`}.`;
