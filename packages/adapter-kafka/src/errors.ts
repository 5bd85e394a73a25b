import type { Classification, ErrorCode } from '@anymq/core/adapter';

/** A fault that this adapter found itself, with its code. */
export class KafkaFault extends Error {
  override readonly name = 'KafkaFault';
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, retryable: boolean, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
  }
}

/** The parts of kafkajs's and Node's errors that tell them apart. Their texts are not stable. */
interface Clues {
  readonly name: string;
  /** Kafka's name for what the broker answered. */
  readonly type: string;
  /** Node's name for what happened to the socket. */
  readonly code: string;
  readonly message: string;
}

const retry = (code: ErrorCode): Classification => Object.freeze({ code, retryable: true });
const never = (code: ErrorCode): Classification => Object.freeze({ code, retryable: false });

const UNAVAILABLE = retry('UNAVAILABLE');
const UNAUTHORISED = never('UNAUTHORISED');
const NOT_FOUND = never('NOT_FOUND');
const CONFLICT = never('CONFLICT');
const TOO_LARGE = never('TOO_LARGE');
const INTERNAL = never('INTERNAL');

/** What a broker answered. */
const BY_TYPE: ReadonlyMap<string, Classification> = new Map([
  ['UNKNOWN_TOPIC_OR_PARTITION', NOT_FOUND],
  ['TOPIC_AUTHORIZATION_FAILED', UNAUTHORISED],
  ['GROUP_AUTHORIZATION_FAILED', UNAUTHORISED],
  ['CLUSTER_AUTHORIZATION_FAILED', UNAUTHORISED],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', UNAUTHORISED],
  ['SASL_AUTHENTICATION_FAILED', UNAUTHORISED],
  ['UNSUPPORTED_SASL_MECHANISM', UNAUTHORISED],
  ['ILLEGAL_SASL_STATE', UNAUTHORISED],
  ['MESSAGE_TOO_LARGE', TOO_LARGE],
  ['RECORD_LIST_TOO_LARGE', TOO_LARGE],
  ['INCONSISTENT_GROUP_PROTOCOL', CONFLICT],
  ['INVALID_SESSION_TIMEOUT', never('INVALID_CONFIG')],
  ['INVALID_REPLICATION_FACTOR', never('INVALID_CONFIG')],
  ['INVALID_PARTITIONS', never('INVALID_CONFIG')],
  ['POLICY_VIOLATION', never('INVALID_CONFIG')],
  ['REQUEST_TIMED_OUT', retry('TIMEOUT')],
  ...[
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_FOR_PARTITION',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'BROKER_NOT_AVAILABLE',
    'REPLICA_NOT_AVAILABLE',
    'NETWORK_EXCEPTION',
    'GROUP_LOAD_IN_PROGRESS',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR_FOR_GROUP',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'KAFKA_STORAGE_ERROR',
    'OFFSET_NOT_AVAILABLE',
    'UNSTABLE_OFFSET_COMMIT',
    'REBALANCE_IN_PROGRESS',
    'UNKNOWN_MEMBER_ID',
    'ILLEGAL_GENERATION',
    'NOT_CONTROLLER',
    'CORRUPT_MESSAGE',
  ].map((type) => [type, UNAVAILABLE] as const),
]);

/** What kafkajs found itself. */
const BY_NAME: ReadonlyMap<string, Classification> = new Map([
  ['KafkaJSSASLAuthenticationError', UNAUTHORISED],
  ['KafkaJSRequestTimeoutError', retry('TIMEOUT')],
  ['KafkaJSConnectionClosedError', UNAVAILABLE],
  ['KafkaJSConnectionError', UNAVAILABLE],
  ['KafkaJSBrokerNotFound', UNAVAILABLE],
  ['KafkaJSLockTimeout', UNAVAILABLE],
  ['KafkaJSMetadataNotLoaded', UNAVAILABLE],
  ['KafkaJSNotImplemented', never('UNSUPPORTED')],
  ['KafkaUnavailable', UNAVAILABLE],
]);

/** The other side is there but TLS cannot be agreed on: only a change of the configuration helps. */
const TLS = /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO$|ERR_OSSL)/;

/** What kafkajs throws, as a plain error, for a request to a broker whose connection was lost before it was ready. */
const NOT_INITIALISED = 'Broker not connected';

/** Unknown last. */
export function classify(error: unknown): Classification {
  const found = underneath(error);
  if (found instanceof KafkaFault) return { code: found.code, retryable: found.retryable };
  const { name, type, code, message } = cluesOf(found);
  if (TLS.test(code)) return never('UNAVAILABLE');
  if (message === NOT_INITIALISED) return UNAVAILABLE;
  return BY_TYPE.get(type) ?? BY_NAME.get(name) ?? INTERNAL;
}

/** The first connection ended without a word: brokers do that to clients that speak another protocol than the listener. */
export function withHint(error: unknown): unknown {
  const { name, code, message } = cluesOf(underneath(error));
  const beforeTls = code === 'ECONNRESET' && message.includes('before secure TLS');
  if (name !== 'KafkaJSConnectionClosedError' && !beforeTls) return error;
  const hint = beforeTls
    ? 'it may not speak TLS there (option ssl)'
    : 'it may want TLS or credentials there (options ssl, sasl)';
  return new KafkaFault('UNAVAILABLE', true, `the broker closed the connection without an answer; ${hint}`, error);
}

/** Kafka's name of what a broker answered, '' where none did. */
export const typeOf = (error: unknown): string => cluesOf(underneath(error)).type;

/** kafkajs wraps what happened into what it did about it, several times over. */
function underneath(error: unknown): unknown {
  let found = error;
  for (let depth = 0; depth < 8; depth++) {
    const { type, code } = cluesOf(found);
    const { cause, errors } = (found ?? {}) as { cause?: unknown; errors?: readonly unknown[] };
    const inner = cause ?? errors?.[0];
    if (found instanceof KafkaFault || type !== '' || code !== '' || inner === undefined) return found;
    found = inner;
  }
  return found;
}

function cluesOf(error: unknown): Clues {
  const { name, type, code, message } = (error ?? {}) as Partial<Record<keyof Clues, unknown>>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { name: text(name), type: text(type), code: text(code), message: text(message) };
}

/** Answers to a write after which nothing of it stands in the log. */
const REFUSED: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_ENOUGH_REPLICAS',
  'KAFKA_STORAGE_ERROR',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_VERSION',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

/** Faults of a socket that can only come before anything was written on it. A reset or a broken pipe can come after. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
]);
/** kafkajs's own words, for which it has no code: pinned by its exact version, and by a test. */
const NOT_CONNECTED_MESSAGES: ReadonlySet<string> = new Set(['Not connected', 'Connection timeout']);

/**
 * Nothing of a write that failed with this stands in the log. What is not certain is not: `REQUEST_TIMED_OUT`,
 * `NOT_ENOUGH_REPLICAS_AFTER_APPEND` and a connection that ended were all seen with the messages stored.
 */
export function certainlyNotStored(error: unknown): boolean {
  const found = underneath(error);
  const { name, type, code, message } = cluesOf(found);
  if (type !== '') return REFUSED.has(type);
  if (NOT_CONNECTED.has(code) || TLS.test(code) || message === NOT_INITIALISED) return true;
  if (name === 'KafkaJSConnectionError') return NOT_CONNECTED_MESSAGES.has(message);
  // A record that cannot be encoded never gets as far as a socket.
  return found instanceof TypeError || found instanceof RangeError;
}

/** The broker that was asked does not lead the partition, or does not know it: look again who does. */
const STALE: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'OFFSET_NOT_AVAILABLE',
]);
export const isStaleLeader = (error: unknown): boolean => STALE.has(typeOf(error));

/** The membership is over: the group goes on without this member. */
const EXPELLED: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
export const isExpelled = (error: unknown): boolean => EXPELLED.has(typeOf(error));
