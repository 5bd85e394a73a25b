import type { MessagingEvent } from '@anymq/core';
import { type Command, Option } from 'commander';
import { orAborted } from '../abortable.js';
import { integerFrom } from '../arguments.js';
import { jsonBody, readableBody } from '../format/body.js';
import { iso } from '../format/letter.js';
import { visible } from '../format/visible.js';
import { note, print } from '../io.js';
import type { BrowsedMessage } from '../messaging-port.js';
import { aboutTopic, checkExists, explained, rawTopic, type TopicFlags } from '../raw-topic.js';
import { type Context, type Session, work } from '../session.js';

interface Flags extends TopicFlags {
  readonly from: 'earliest' | 'latest';
  readonly keyed?: boolean;
  readonly count?: number;
  readonly json?: boolean;
}

const GROUP = 'anymq-tail';
/** People read slowly: what they have not seen yet stays with the broker. */
const MAX_IN_FLIGHT = 100;
const FIX = 'Define it here as your code does: --keyed for a topic with keys, --history none for one without history.';

/** `anymq tail`. */
export function tail(context: Context, program: Command): void {
  const command = aboutTopic(
    program
      .command('tail')
      .description('Show messages of a topic as they come, beside its groups: nobody else gets one less.'),
  )
    .option('--keyed', 'the topic has keys')
    .addOption(
      new Option('--from <position>', 'where to begin: with everything that the topic keeps, or with what comes now')
        .choices(['earliest', 'latest'])
        .default('latest'),
    )
    .option('--count <number>', 'end after so many messages', integerFrom(1, 1_000_000_000))
    .addHelpText(
      'after',
      `
Examples:
  anymq tail --topic orders.paid --keyed
  anymq tail --topic orders.paid --keyed --count 1 --json | jq -r .body
  anymq tail --topic orders.paid --keyed --from earliest --count 10
  anymq tail --topic prices --history none

The topic must exist, and be defined here as in your code: --keyed, --history none. Ends with --count or Ctrl-C (130);
nothing is left on the broker.`,
    );
  work<Flags>(context, command, follow);
}

async function follow(session: Session, flags: Flags): Promise<void> {
  await orAborted(checkExists(session.messaging, flags), session.io.interrupted);
  try {
    await (flags.from === 'earliest' ? browse(session, flags) : listen(session, flags));
  } catch (error) {
    throw explained(error, FIX);
  }
}

/** What the topic keeps, then what comes. */
async function browse({ io, messaging }: Session, flags: Flags): Promise<void> {
  const topic = rawTopic(flags, { keyed: flags.keyed === true });
  const end = new AbortController();
  const show = shower(io, flags, () => end.abort());
  const signal = AbortSignal.any([io.interrupted, end.signal]);
  for await (const message of messaging.browse(topic, { from: 'earliest', signal })) await show(message);
  io.interrupted.throwIfAborted();
}

/** What comes, also where nothing is kept. */
async function listen({ io, messaging }: Session, flags: Flags): Promise<void> {
  const consumer = messaging.consumer({ group: GROUP, broadcast: true });
  const { promise: ended, resolve, reject } = withResolvers();
  const stopListening = messaging.on((event) => isEnd(event, flags.topic) && reject(event.error));
  const show = shower(io, flags, resolve);
  try {
    // A failed write means that nobody reads any more: the message must not be tried again, the command ends.
    consumer.subscribe(rawTopic(flags, { keyed: flags.keyed === true }), (delivery) => show(delivery).catch(reject), {
      concurrency: 1,
      maxInFlight: MAX_IN_FLIGHT,
    });
    await consumer.start({ signal: io.interrupted });
    if (io.stderrIsTTY) note(io, `Waiting for messages of ${flags.topic}, Ctrl-C ends it.`);
    await orAborted(ended, io.interrupted);
  } finally {
    stopListening();
    await consumer.close();
  }
}

function isEnd(event: MessagingEvent, topic: string): event is MessagingEvent & { type: 'subscription-failed' } {
  return event.type === 'subscription-failed' && event.topic === topic;
}

/** Shows one message after the other; those that come after the last one that was asked for are not shown. */
function shower(io: Session['io'], { count = Number.POSITIVE_INFINITY, json }: Flags, done: () => void) {
  let shown = 0;
  return async (delivery: BrowsedMessage<Uint8Array>): Promise<void> => {
    if (shown >= count || io.interrupted.aborted) return;
    shown += 1;
    await print(io, json ? JSON.stringify(messageJson(delivery)) : messageText(delivery));
    if (shown >= count) done();
  };
}

function messageJson({ id, topic, type, key, time, headers, position, value }: BrowsedMessage<Uint8Array>) {
  return { id, topic, type, key, time: iso(time), headers, position, ...jsonBody(value) };
}

function messageText({ id, type, topic, key, time, headers, position, value }: BrowsedMessage<Uint8Array>): string {
  const facts = [
    iso(time),
    id,
    ...(key === undefined ? [] : [`key=${key}`]),
    ...(type === topic ? [] : [`type=${type}`]),
    `at ${position}`,
  ];
  const lines = Object.entries(headers).map(([name, text]) => `${name}: ${text}`);
  return `${visible([`--- ${facts.join('  ')}`, ...lines].join('\n'))}\n${readableBody(value)}`;
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers() {
  let resolve = (): void => {};
  let reject = (_error: unknown): void => {};
  const promise = new Promise<void>((...both) => {
    [resolve, reject] = both;
  });
  // It may be rejected before anybody waits for it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
