import { MessagingError } from '@anymq/core/adapter';
import { z } from 'zod';

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

/** kafkajs splits at every colon, so an IPv6 literal cannot be given; a host name that resolves to one can. */
const ADDRESS = /^[A-Za-z0-9._-]+:(\d{1,5})$/;
const isAddress = (text: string): boolean => {
  const port = Number(ADDRESS.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
};

const text = z.string().min(1);

const sslSchema = z.strictObject({
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  passphrase: text.optional(),
  servername: text.optional(),
  rejectUnauthorized: z.boolean().optional(),
});

const provider = z.custom<Exclude<Secret, string>>((value) => typeof value === 'function', {
  error: 'must be text or a function that gives it',
});

const saslSchema = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: text,
  password: z.union([text, provider]),
});

/** The only defaults and range checks. What each means: {@link KafkaOptions}. */
export const optionsSchema = z
  .strictObject({
    brokers: z.array(z.string().refine(isAddress, "must be 'host:port' with a port from 1 to 65535")).min(1),
    clientId: text.max(200).default('anymq'),
    ssl: z.union([z.boolean(), sslSchema]).default(false),
    sasl: saslSchema.optional(),
    topology: z.enum(['create', 'check']).default('create'),
    partitions: z.int().min(1).max(10_000).default(8),
    replicationFactor: z.int().min(1).max(32_767).optional(),
    sessionTimeoutMs: z.int().min(6_000).max(1_800_000).default(10_000),
    heartbeatIntervalMs: z.int().min(100).max(600_000).default(500),
    rebalanceTimeoutMs: z.int().min(1_000).max(HOUR_MS).default(30_000),
    maxWaitMs: z.int().min(10).max(5_000).default(250),
    maxBytesPerPartition: z
      .int()
      .min(KIB)
      .max(64 * MIB)
      .default(256 * KIB),
    maxBytes: z
      .int()
      .min(KIB)
      .max(256 * MIB)
      .default(4 * MIB),
    requestTimeoutMs: z.int().min(1_000).max(14_000).default(10_000),
    compression: z.enum(['none', 'gzip']).default('none'),
  })
  .superRefine((options, context) => {
    const tell = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (options.heartbeatIntervalMs * 3 > options.sessionTimeoutMs)
      tell(['heartbeatIntervalMs'], `must be at most a third of sessionTimeoutMs (${options.sessionTimeoutMs})`);
    if (typeof options.ssl === 'object' && (options.ssl.cert === undefined) !== (options.ssl.key === undefined))
      tell(['ssl'], 'must have cert and key together');
  });

/** How to speak TLS. `ca`, `cert` and `key` are PEM text or paths of PEM files, read at every connect. */
export interface KafkaSslOptions {
  /** Authorities that may have signed the brokers' certificates. @default the system's */
  readonly ca?: string | undefined;
  /** This client's certificate, for brokers that ask for one. Needs `key`. @default none */
  readonly cert?: string | undefined;
  /** Private key of `cert`. @default none */
  readonly key?: string | undefined;
  /** What `key` is encrypted with. @default not encrypted */
  readonly passphrase?: string | undefined;
  /** Host name that the brokers' certificates must carry. @default the host of the address */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate: for experiments only. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** A secret, or who knows the one that counts now. */
export type Secret = string | (() => string | Promise<string>);

/** User and password for SASL. */
export interface KafkaSaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** A function is asked for every connection, so what was rotated is used from the next one on. */
  readonly password: Secret;
}

/** Options of `kafka()`. */
export interface KafkaOptions {
  /** Addresses to begin with, `host:port`, at least one; the rest of the cluster is learnt from them. */
  readonly brokers: readonly string[];
  /** Name of this application in the brokers' logs and quotas, 1-200 characters. @default 'anymq' */
  readonly clientId?: string | undefined;
  /** TLS: `true` for the system's authorities. @default false */
  readonly ssl?: boolean | KafkaSslOptions | undefined;
  /** Credentials. @default none */
  readonly sasl?: KafkaSaslOptions | undefined;
  /**
   * `check`: topics are used as they stand and never created; one that is missing is `NOT_FOUND`. For services whose
   * credentials may create nothing. @default 'create'
   */
  readonly topology?: 'create' | 'check' | undefined;
  /**
   * Partitions of the topics that this adapter creates, 1-10,000: at most so many members of a group work at once. A topic
   * that exists is used as it is. @default 8
   */
  readonly partitions?: number | undefined;
  /** Copies of each partition of the topics that this adapter creates, 1-32,767. @default the brokers' own setting */
  readonly replicationFactor?: number | undefined;
  /**
   * How long a member may be silent before its partitions go to others, milliseconds, 6,000-1,800,000; the brokers may allow
   * less (`group.min.session.timeout.ms`, `group.max.session.timeout.ms`). @default 10_000
   */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * How often a member shows a sign of life and learns of other members, milliseconds, 100-600,000, at most a third of
   * `sessionTimeoutMs`. @default 500
   */
  readonly heartbeatIntervalMs?: number | undefined;
  /**
   * How long running handlers may go on when partitions move to another member, milliseconds, 1,000-3,600,000; then they are
   * aborted and their messages delivered again. @default 30_000
   */
  readonly rebalanceTimeoutMs?: number | undefined;
  /**
   * How long a broker holds a request for messages while there are none, milliseconds, 10-5,000. Not a delay: messages are
   * sent on as soon as they come. @default 250
   */
  readonly maxWaitMs?: number | undefined;
  /** Bytes asked for per partition in one request, 1 KiB to 64 MiB; a larger single message still arrives. @default 262_144 */
  readonly maxBytesPerPartition?: number | undefined;
  /** Bytes asked for in one request, 1 KiB to 256 MiB. @default 4_194_304 */
  readonly maxBytes?: number | undefined;
  /** How long a broker may take to connect or to answer, milliseconds, 1,000-14,000. @default 10_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Compression of what is sent: worth it for text, useless for random bytes. @default 'none' */
  readonly compression?: 'none' | 'gzip' | undefined;
}

/** With every default filled in. */
export type ParsedOptions = z.output<typeof optionsSchema>;

/** @throws {MessagingError} `INVALID_CONFIG` naming each path, what was found and what would be right */
export function parseOptions(options: unknown): ParsedOptions {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue, options)).join('; ');
  throw new MessagingError('INVALID_CONFIG', `Options of kafka(): ${problems}.`, {
    adapter: 'kafka',
    cause: result.error,
  });
}

function describe(issue: z.core.$ZodIssue, options: unknown): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return `unknown option ${issue.keys.map((key) => `'${path === '' ? key : `${path}.${key}`}'`).join(', ')}`;
  return `${path || 'options'}: ${issue.message}, found ${found(options, issue.path)}`;
}

/** Never the value of a text: it may be a password or a key. */
function found(options: unknown, path: readonly PropertyKey[]): string {
  let value = options;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  if (typeof value === 'string')
    return path[0] === 'sasl' || path[0] === 'ssl' ? 'a text' : JSON.stringify(value.slice(0, 80));
  return value !== null && (typeof value === 'object' || typeof value === 'function')
    ? typeof value
    : (JSON.stringify(value) ?? 'nothing');
}
