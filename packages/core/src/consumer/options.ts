import { invalidArgument, MessagingError } from '../errors.js';
import { checkGroupName } from '../names.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';
import type { TopicDefinition } from '../topic.js';
import type { BatchOptions, ConsumerOptions, SubscribeOptions } from './contract.js';

const DEFAULT_CONCURRENCY = 64;
const DEFAULT_IN_FLIGHT = 1_000;
const MAX_CONCURRENCY = 10_000;
const MAX_IN_FLIGHT = 100_000;
const MAX_BATCH = 10_000;

export interface ResolvedSubscribeOptions {
  readonly startFrom: 'earliest' | 'latest';
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly batch: Required<BatchOptions> | undefined;
}

/** Defaults and checks of {@link ConsumerOptions}: here and nowhere else. */
export function consumerOptions(options: ConsumerOptions): Required<ConsumerOptions> {
  checkObject('consumer() options', options);
  onlyKnown('consumer()', options, ['group', 'drainTimeoutMs']);
  return {
    group: checkGroupName(options.group),
    drainTimeoutMs: integerIn('drainTimeoutMs', options.drainTimeoutMs, 0, 3_600_000, 30_000),
  };
}

/** Defaults and checks of {@link SubscribeOptions} and {@link BatchOptions}: here and nowhere else. */
export function subscribeOptions(
  topic: TopicDefinition,
  options: SubscribeOptions & { readonly batch?: BatchOptions | undefined },
): ResolvedSubscribeOptions {
  checkObject('subscribe() options', options);
  onlyKnown('subscribe()', options, ['startFrom', 'concurrency', 'maxInFlight', 'batch']);
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
  return { startFrom: startFrom(topic, options.startFrom), concurrency, maxInFlight, batch };
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
