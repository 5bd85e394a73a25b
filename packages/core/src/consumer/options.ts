import { invalidArgument, MessagingError } from '../errors.js';
import { checkGroupName } from '../names.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';
import type { TopicDefinition } from '../topic.js';
import type { BatchOptions, ConsumerOptions, SubscribeOptions } from './contract.js';
import type { DeduplicationStore } from './deduplication-store.js';
import { failureOptions, type ResolvedFailureOptions } from './failure-options.js';

const DEFAULT_CONCURRENCY = 64;
const DEFAULT_IN_FLIGHT = 1_000;
const MAX_CONCURRENCY = 10_000;
const MAX_IN_FLIGHT = 100_000;
const MAX_BATCH = 10_000;
/** Of 64: the rest tells the consumers apart. */
const MAX_BROADCAST_NAME = 50;
const DEFAULT_IN_FLIGHT_BYTES = 64 * 1024 * 1024;
const MIN_IN_FLIGHT_BYTES = 1_024;
const MAX_IN_FLIGHT_BYTES = 1024 ** 4;

const SUBSCRIBE_OPTIONS = [
  'startFrom',
  'concurrency',
  'maxInFlight',
  'maxInFlightBytes',
  'batch',
  'deduplicate',
  'retry',
  'handlerTimeoutMs',
  'deadLetter',
];

export interface ResolvedSubscribeOptions {
  readonly startFrom: 'earliest' | 'latest';
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly batch: Required<BatchOptions> | undefined;
  readonly deduplicate: DeduplicationStore | undefined;
  readonly failure: ResolvedFailureOptions;
}

/** Defaults and checks of {@link ConsumerOptions}: here and nowhere else. */
export function consumerOptions(options: ConsumerOptions): Required<ConsumerOptions> {
  checkObject('consumer() options', options);
  onlyKnown('consumer()', options, ['group', 'broadcast', 'drainTimeoutMs']);
  return {
    group: checkGroupName(options.group),
    broadcast: broadcast(options),
    drainTimeoutMs: integerIn('drainTimeoutMs', options.drainTimeoutMs, 0, 3_600_000, 30_000),
  };
}

/** What else decides about the options of a subscription. */
export interface SubscriptionKind {
  readonly broadcast: boolean;
  /** The broker can keep dead letters. */
  readonly keepsLetters: boolean;
}

/** Defaults and checks of {@link SubscribeOptions} and {@link BatchOptions}: here and nowhere else. */
export function subscribeOptions(
  topic: TopicDefinition,
  options: SubscribeOptions & { readonly batch?: BatchOptions | undefined },
  { broadcast, keepsLetters }: SubscriptionKind,
): ResolvedSubscribeOptions {
  checkObject('subscribe() options', options);
  onlyKnown('subscribe()', options, SUBSCRIBE_OPTIONS);
  const batch = options.batch === undefined ? undefined : batchOptions(options.batch);
  const concurrency = integerIn(
    'concurrency',
    options.concurrency,
    1,
    MAX_CONCURRENCY,
    batch === undefined ? DEFAULT_CONCURRENCY : 1,
  );
  const busy = Math.min(MAX_IN_FLIGHT, concurrency * (batch?.size ?? 1));
  const maxInFlight = integerIn(
    'maxInFlight',
    options.maxInFlight,
    batch?.size ?? 1,
    MAX_IN_FLIGHT,
    Math.max(DEFAULT_IN_FLIGHT, busy),
  );
  const maxInFlightBytes = integerIn(
    'maxInFlightBytes',
    options.maxInFlightBytes,
    MIN_IN_FLIGHT_BYTES,
    MAX_IN_FLIGHT_BYTES,
    DEFAULT_IN_FLIGHT_BYTES,
  );
  return {
    startFrom: broadcast ? latest(options.startFrom) : startFrom(topic, options.startFrom),
    concurrency,
    maxInFlight,
    maxInFlightBytes,
    batch,
    deduplicate: deduplicate(options.deduplicate, broadcast),
    failure: failureOptions(topic, options, keepsLetters && !broadcast ? 'kept' : undefined),
  };
}

function deduplicate(store: SubscribeOptions['deduplicate'], broadcast: boolean): DeduplicationStore | undefined {
  if (store === undefined) return undefined;
  checkObject('deduplicate', store);
  for (const method of ['seen', 'record'] as const)
    if (typeof store[method] !== 'function')
      throw invalidArgument(`deduplicate must be a store with methods seen and record; it has no ${method}.`);
  if (!broadcast) return store;
  throw invalidArgument(
    'A broadcast consumer is a group of its own and ends with its process: there is nothing that a deduplicate store could know.',
  );
}

function batchOptions(batch: BatchOptions): Required<BatchOptions> {
  checkObject('batch', batch);
  onlyKnown('batch', batch, ['size', 'maxWaitMs']);
  if (batch.size === undefined)
    throw invalidArgument(`batch.size is missing. Give the most messages of one call, 1 to ${MAX_BATCH}.`);
  return {
    size: integerIn('batch.size', batch.size, 1, MAX_BATCH, 1),
    maxWaitMs: integerIn('batch.maxWaitMs', batch.maxWaitMs, 0, 60_000, 100),
  };
}

function broadcast({ group, broadcast = false }: ConsumerOptions): boolean {
  if (typeof broadcast !== 'boolean') throw invalidArgument('broadcast must be true or false.');
  if (broadcast && group.length > MAX_BROADCAST_NAME)
    throw invalidArgument(
      `A broadcast group's name has at most ${MAX_BROADCAST_NAME} characters, '${group}' has ${group.length}: each consumer's own name is made from it.`,
    );
  return broadcast;
}

function startFrom(topic: TopicDefinition, asked: SubscribeOptions['startFrom']): 'earliest' | 'latest' {
  const kept = topic.spec.history === 'full';
  if (asked === undefined) return kept ? 'earliest' : 'latest';
  if (asked !== 'earliest' && asked !== 'latest') {
    throw invalidArgument(`startFrom must be 'earliest' or 'latest', found ${JSON.stringify(asked)}.`);
  }
  if (asked === 'latest' || kept) return asked;
  const fix = "Subscribe with startFrom 'latest', or define the topic with history 'full'.";
  throw new MessagingError(
    'UNSUPPORTED',
    `Topic '${topic.spec.name}' keeps no history, so a group cannot begin at the earliest message. ${fix}`,
  );
}

/** There is nothing older for a consumer that nobody knew before. */
function latest(asked: SubscribeOptions['startFrom']): 'latest' {
  if (asked === undefined || asked === 'latest') return 'latest';
  throw invalidArgument(
    `A broadcast consumer begins with what is sent after its start: startFrom can only be 'latest', found ${JSON.stringify(asked)}.`,
  );
}
